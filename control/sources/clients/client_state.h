// The file that keeps given names over a restart: JSON, {"aa:bb:cc:dd:ee:ff": {"name": "tablet",
// "at": 1790000000, "who": "uid 0"}, ...}.
#pragma once

#include <string>

#include "control/sources/clients/client_names.h"
#include "matchers/result.h"

namespace steer::clients {

inline constexpr std::size_t kMaxGivenNames = 10'000;

std::string state_text(const GivenNames& names);
// Empty if there is no file. Rows with an invalid key or name are left out and counted.
Result<GivenNames> load_names(const std::string& file, std::size_t& left_out);
// Returns false if the folder of the file does not exist: then nothing is kept. `is_damaged`: the
// present file is kept as FILE.damaged.
Result<bool> save_names(const std::string& file, const std::string& text, bool is_damaged = false);

}  // namespace steer::clients
