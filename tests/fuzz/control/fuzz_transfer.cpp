// Messages of a primary: what the reader takes is a zone, or differences with whole names. The
// first byte says what was asked for; each message has its length before it.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "control/sources/transfer/transfer_reader.h"
#include "control/sources/transfer/tsig.h"
#include "control/sources/transfer/zone_digest.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "fuzz/require.h"

namespace {

using namespace steer;
using namespace steer::transfer;

const Bytes kZone = *dns::name_from_text("rpz.example");

void check_zone(TransferReader& reader) {
    ZoneContents zone(kZone);
    if (!zone.replace(reader.whole().finish())) return;
    REQUIRE(zone.soa());
    Bytes before;
    std::size_t records = 0;
    zone.for_each([&](ByteSpan name, OwnerRecords of) {
        REQUIRE(dns::is_plain_name(name) && is_in_zone(name, kZone));
        REQUIRE(before.empty() || compare_names(before, name) < 0);
        before.assign(name.begin(), name.end());
        REQUIRE(OwnerRecords::is_whole(of.bytes()));
        records += of.count();
    });
    REQUIRE(records == zone.records());
    (void)check_digest(zone);
    const ByteSpan stored = zone.image()->stored();
    const auto again = ZoneImage::from_stored(Bytes(stored.begin(), stored.end()), kZone);
    REQUIRE(again && (*again)->records() == records);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::optional<std::uint32_t> have =
        data[0] == 0 ? std::nullopt : std::optional<std::uint32_t>(data[0]);
    const config::TsigKey key{*dns::name_from_text("xfer.example"), "hmac-sha256",
                              std::string(32, 'k')};
    TransferReader reader(kZone, have, {1 << 20, 10'000});
    TsigStream signatures(key, {});
    ByteSpan rest(data + 1, size - 1);
    while (rest.size() >= 2) {
        const std::size_t length = dns::load_be16(rest.data());
        if (length + 2 > rest.size()) break;
        Bytes message(rest.begin() + 2, rest.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(2 + length);
        (void)verify_query(message, key, 0);
        const auto found = find_tsig(message);
        if (found && *found) REQUIRE((*found)->at < message.size());
        Bytes copy = message;
        (void)signatures.take(copy, 0);
        if (!response_code(message, dns::kHeaderSize)) continue;
        const auto state = reader.take(message);
        if (!state) return 0;
        if (*state == TransferReader::State::more) continue;
        if (reader.kind() == TransferReader::Kind::whole) check_zone(reader);
        for (const ZoneDifference& one : reader.differences()) {
            for (const auto& change : one.added)
                REQUIRE(dns::is_plain_name(change.owner));
        }
        return 0;
    }
    return 0;
}
