// Names as text: what is read is a wire name, and its text form reads as the same name.
#include "../require.h"
#include "dataplane/dns/name.h"

using namespace steer::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto wire = name_from_text({reinterpret_cast<const char*>(data), size});
    if (!wire) return 0;
    REQUIRE(plain_name_length(*wire) == wire->size());
    const auto again = name_from_text(name_to_text(*wire));
    REQUIRE(again && *again == *wire);
    return 0;
}
