// Any bytes as a configuration of ForgeDNS or mosdns.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "require.h"
#include "tools/import/policy_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using steer::importing::PolicySource;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto of : {PolicySource::forgedns, PolicySource::mosdns})
        fuzz::check(steer::importing::import_policy(text, "fuzz", of));
    return 0;
}
