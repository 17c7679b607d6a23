// The daemon's systemd unit and its drop-ins, below `root` ("": those of this machine).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace steer::machine {

inline constexpr const char* kDropIns = "/etc/systemd/system/steerdnsd.service.d";

[[nodiscard]] bool has_unit(const std::string& root);
// The last value of a setting; empty: it is not there.
[[nodiscard]] std::string unit_setting(const std::string& root, const std::string& key);
// The hard limit of LimitNOFILE (systemd.exec(5)). No value: there is no unit, or it has none.
[[nodiscard]] std::optional<std::uint64_t> descriptors_of_unit(const std::string& root);

}  // namespace steer::machine
