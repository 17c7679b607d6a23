// Any bytes as a dnsmasq.conf.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/dnsmasq_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::check(steer::importing::import_dnsmasq(text, "fuzz"));
    return 0;
}
