// A kept zone and its journal, as bytes without their digests: what is read is whole, and its
// policy can be built.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "control/sources/transfer/policy_builder.h"
#include "control/sources/transfer/zone_file.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace steer;
    using namespace steer::transfer;
    if (size < 2) return 0;
    const std::size_t split = std::min<std::size_t>(dns::load_be16(data), size - 2);
    const ByteSpan image_bytes(data + 2, split), journal(data + 2 + split, size - 2 - split);
    const auto differences = decode_differences(journal);
    if (differences) {
        const Bytes again = encode_differences(*differences);
        REQUIRE(again.size() == journal.size());
    }
    // The zone is that of the first owner.
    if (image_bytes.empty() || image_bytes[0] >= image_bytes.size()) return 0;
    const ByteSpan first = image_bytes.subspan(1, image_bytes[0]);
    const auto image = ZoneImage::from_stored(Bytes(image_bytes.begin(), image_bytes.end()), first);
    ZoneContents zone(Bytes(first.begin(), first.end()));
    if (!image || !zone.replace(*image)) return 0;
    const auto targets = std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>());
    PolicyBuilder builder(zone.zone(), targets);
    REQUIRE(builder.build(zone) != nullptr);
    std::vector<Bytes> touched;
    if (differences && zone.apply(*differences, touched)) {
        REQUIRE(zone.soa().has_value() || zone.find(zone.zone()).find(dns::kSoa).has_value());
        for (const Bytes& owner : touched)
            REQUIRE(is_in_zone(owner, zone.zone()));
        REQUIRE(builder.change(zone, touched) != nullptr);
    }
    Skipped skipped;
    const std::size_t most = zone.records() * 128;  // a name has at most 127 labels
    REQUIRE(build_local_zone(zone, targets, skipped, most, SIZE_MAX) != nullptr);
    std::size_t written = 0;
    write_zone_text(zone, [&](std::string_view text) { written += text.size(); });
    REQUIRE(written > 0);
    return 0;
}
