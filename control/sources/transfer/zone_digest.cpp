#include "control/sources/transfer/zone_digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

constexpr std::uint8_t kSimple = 1;
constexpr std::uint8_t kSha384 = 1, kSha512 = 2;
constexpr std::size_t kHead = 6;  // serial, scheme, algorithm
constexpr std::size_t kLeastDigest = 12;

struct Digest {
    std::uint8_t algorithm;
    ByteSpan bytes;
};

// Of the zone's records but the apex's ZONEMD and its signatures (RFC 8976 3.3.1).
Bytes digest_of(const ZoneContents& zone, std::uint8_t algorithm) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    bool is_good =
        context != nullptr &&
        EVP_DigestInit_ex(context.get(), algorithm == kSha384 ? EVP_sha384() : EVP_sha512(),
                          nullptr) == 1;
    const auto add = [&](ByteSpan bytes) {
        is_good = is_good && EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1;
    };
    zone.for_each([&](ByteSpan name, OwnerRecords records) {
        const bool is_apex = std::ranges::equal(name, zone.zone());
        records.for_each([&](const ZoneRecord& record) {
            const bool covers_digest = record.type == dns::kRrsig && record.rdata.size() >= 2 &&
                                       dns::load_be16(record.rdata.data()) == dns::kZonemd;
            if (is_apex && (record.type == dns::kZonemd || covers_digest)) return;
            std::array<std::uint8_t, dns::kRecordFixed> head;
            dns::store_be16(head.data(), record.type);
            dns::store_be16(&head[2], dns::kIn);
            dns::store_be32(&head[4], record.ttl_s);
            dns::store_be16(&head[8], static_cast<std::uint16_t>(record.rdata.size()));
            add(name);
            add(head);
            add(record.rdata);
        });
    });
    is_good = is_good && EVP_DigestFinal_ex(context.get(), out.data(), &length) == 1;
    out.resize(is_good ? length : 0);
    return out;
}

}  // namespace

DigestCheck check_digest(const ZoneContents& zone) {
    const auto soa = zone.soa();
    std::vector<Digest> digests;
    std::array<unsigned, 256> of_algorithm{};
    bool has_any = false, has_other_serial = false;
    zone.find(zone.zone()).for_each([&](const ZoneRecord& record) {
        if (record.type != dns::kZonemd) return;
        has_any = true;
        if (record.rdata.size() < kHead + kLeastDigest || !soa) return;
        if (dns::load_be32(record.rdata.data()) != soa->serial) {
            has_other_serial = true;
            return;
        }
        const std::uint8_t scheme = record.rdata[4], algorithm = record.rdata[5];
        if (scheme != kSimple || (algorithm != kSha384 && algorithm != kSha512)) return;
        ++of_algorithm[algorithm];
        digests.push_back({algorithm, record.rdata.subspan(kHead)});
    });
    if (!has_any) return {DigestResult::none, "the zone has no ZONEMD record"};
    std::erase_if(digests, [&](const Digest& d) { return of_algorithm[d.algorithm] > 1; });
    if (digests.empty())
        return has_other_serial
                   ? DigestCheck{DigestResult::wrong, "its ZONEMD has another serial"}
                   : DigestCheck{DigestResult::not_checked,
                                 "its ZONEMD has no scheme and algorithm that is known"};
    for (const Digest& digest : digests) {
        if (std::ranges::equal(digest_of(zone, digest.algorithm), digest.bytes))
            return {DigestResult::right, {}};
    }
    return {DigestResult::wrong, "its ZONEMD digest is wrong"};
}

}  // namespace steer::transfer
