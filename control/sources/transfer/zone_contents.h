// The records of a zone: a large immutable image, and the changes since then.
//
// An image has its owners in canonical order (RFC 4034 6.1), and the records of an owner by type
// and RDATA (6.3), each once. Names in RDATA are uncompressed and in lower case (6.2). So a digest
// over the zone is one pass, a change costs a binary search per owner, and the kept file has the
// same bytes. A record takes about 12 bytes beside its name and RDATA.
//
// One thread at a time changes a ZoneContents; images may be shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/sources/transfer/zone_name.h"
#include "matchers/result.h"

namespace steer::transfer {

struct ZoneRecord {
    std::uint16_t type = 0;
    std::uint32_t ttl_s = 0;
    ByteSpan rdata;
};

// The fields of a SOA's RDATA that a secondary needs (RFC 1035 3.3.13).
struct Soa {
    std::uint32_t serial = 0, refresh_s = 0, retry_s = 0, expire_s = 0, minimum_s = 0;
    bool operator==(const Soa&) const = default;
};
// Of RDATA with uncompressed names; no value: malformed.
std::optional<Soa> soa_of(ByteSpan rdata);

// The records of one owner, encoded: type, TTL, length, RDATA of each.
class OwnerRecords {
  public:
    OwnerRecords() = default;
    explicit OwnerRecords(ByteSpan bytes) : bytes_(bytes) {}

    template <class Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t at = 0; at < bytes_.size();) {
            const ZoneRecord record = record_at(at);
            visit(record);
            at += kHead + record.rdata.size();
        }
    }
    [[nodiscard]] std::size_t count() const {
        std::size_t n = 0;
        for_each([&](const ZoneRecord&) { ++n; });
        return n;
    }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    [[nodiscard]] ByteSpan bytes() const { return bytes_; }
    // The first record of a type.
    [[nodiscard]] std::optional<ZoneRecord> find(std::uint16_t type) const;

    // Appends a record; later ones must not be smaller.
    static void add(Bytes& to, const ZoneRecord& record);
    // Whether `bytes` are such records to the end, with whole names in their RDATA.
    static bool is_whole(ByteSpan bytes);

    static constexpr std::size_t kHead = 8;

  private:
    [[nodiscard]] ZoneRecord record_at(std::size_t at) const;
    ByteSpan bytes_;
};

// Whether the names in RDATA of this type are whole and uncompressed.
bool has_whole_names(std::uint16_t type, ByteSpan rdata);

class ZoneImage {
  public:
    struct Owner {
        ByteSpan name;
        OwnerRecords records;
    };

    [[nodiscard]] std::size_t owners() const { return starts_.size(); }
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] Owner at(std::size_t i) const;
    // Empty: there is no such owner.
    [[nodiscard]] OwnerRecords find(ByteSpan name) const;
    [[nodiscard]] std::size_t bytes() const { return bytes_.size() + starts_.size() * 4; }

    // The bytes of a kept file, and the image of such bytes. Error: they are no image of this zone.
    [[nodiscard]] ByteSpan stored() const { return bytes_; }
    static Result<std::shared_ptr<const ZoneImage>> from_stored(Bytes bytes, ByteSpan zone);

  private:
    friend class ZoneImageBuilder;
    // The place of the first owner that is not before `name`.
    [[nodiscard]] std::size_t place_of(ByteSpan name) const;

    // Of each owner: length of the name, the name, length of the records (4 bytes), the records.
    Bytes bytes_;
    std::vector<std::uint32_t> starts_;
    std::size_t records_ = 0;
};

// Records in any order become an image.
class ZoneImageBuilder {
  public:
    // Names and RDATA are canonical.
    void add(ByteSpan name, const ZoneRecord& record);
    // Owners in canonical order with all their records, as in an image: no sorting. Do not use it
    // together with add().
    void add_owner(ByteSpan name, OwnerRecords records);
    [[nodiscard]] std::size_t bytes() const { return draft_.size() + out_.bytes_.size(); }
    // Leaves the builder empty.
    std::shared_ptr<const ZoneImage> finish();

  private:
    // Of a record in draft_.
    [[nodiscard]] ByteSpan name_at(std::uint32_t place) const;
    [[nodiscard]] ZoneRecord record_at(std::uint32_t place) const;
    // Sorts places_. Records of one name keep their order.
    void sort_by_name();

    ZoneImage out_;
    Bytes draft_;                        // of each record: length of the name, the name, the record
    std::vector<std::uint32_t> places_;  // of the records in draft_
};

// One difference sequence of IXFR (RFC 1995 4).
struct ZoneDifference {
    struct Change {
        Bytes owner;
        std::uint16_t type = 0;
        std::uint32_t ttl_s = 0;
        Bytes rdata;
    };
    std::uint32_t from = 0, to = 0;      // serials
    std::vector<Change> removed, added;  // with the SOA of each serial
};

class ZoneContents {
  public:
    explicit ZoneContents(Bytes zone) : zone_(std::move(zone)) {}

    [[nodiscard]] const Bytes& zone() const { return zone_; }
    [[nodiscard]] bool empty() const { return image_ == nullptr; }
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] std::size_t bytes() const;
    // Owners with changes over the image.
    [[nodiscard]] std::size_t changed() const { return changes_.size(); }
    [[nodiscard]] const std::shared_ptr<const ZoneImage>& image() const { return image_; }
    // No value: there is no zone, or it has no valid SOA.
    [[nodiscard]] std::optional<Soa> soa() const;
    [[nodiscard]] OwnerRecords find(ByteSpan name) const;
    // Calls visit(name, records) for each owner, in canonical order.
    void for_each(const std::function<void(ByteSpan, OwnerRecords)>& visit) const;

    // Replaces all records. Error: there is no SOA at the apex, or several.
    Result<void> replace(std::shared_ptr<const ZoneImage> image);
    // All or nothing. Adds the owners that changed to `touched`. Error: the differences are not of
    // this zone, for example because a removed record is missing. Cost: a logarithm per record.
    Result<void> apply(const std::vector<ZoneDifference>& differences, std::vector<Bytes>& touched);
    // Makes one image of the image and its changes.
    void merge();

  private:
    using Changes = std::map<Bytes, Bytes, CanonicalLess>;  // no records: the owner is removed

    Bytes zone_;
    std::shared_ptr<const ZoneImage> image_;
    Changes changes_;
    std::size_t records_ = 0;
};

}  // namespace steer::transfer
