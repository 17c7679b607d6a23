#include "control/sources/transfer/zone_contents.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/rdata.h"
#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

constexpr std::size_t kSoaNumbers = 20;
constexpr std::size_t kLength = 4;  // of an owner's records in an image

// By type, then RDATA as a string of bytes (RFC 4034 6.3).
int compare(const ZoneRecord& a, const ZoneRecord& b) {
    if (a.type != b.type) return a.type < b.type ? -1 : 1;
    const int order =
        std::memcmp(a.rdata.data(), b.rdata.data(), std::min(a.rdata.size(), b.rdata.size()));
    if (order != 0) return order;
    if (a.rdata.size() == b.rdata.size()) return 0;
    return a.rdata.size() < b.rdata.size() ? -1 : 1;
}

// The TTLs of an owner's records while differences are applied. Its order is that of compare().
using OwnerDraft = std::map<std::pair<std::uint16_t, Bytes>, std::uint32_t>;

OwnerDraft draft_records(OwnerRecords records) {
    OwnerDraft out;
    records.for_each([&](const ZoneRecord& r) {
        out.emplace_hint(out.end(), std::pair(r.type, Bytes(r.rdata.begin(), r.rdata.end())),
                         r.ttl_s);
    });
    return out;
}

Bytes encoded(const OwnerDraft& records) {
    Bytes out;
    for (const auto& [key, ttl_s] : records)
        OwnerRecords::add(out, {key.first, ttl_s, key.second});
    return out;
}

Bytes encoded(const std::vector<ZoneRecord>& records) {
    Bytes out;
    for (const ZoneRecord& record : records)
        OwnerRecords::add(out, record);
    return out;
}

}  // namespace

std::optional<Soa> soa_of(ByteSpan rdata) {
    const std::size_t first = dns::plain_name_length(rdata);
    if (first == 0) return std::nullopt;
    const std::size_t second = dns::plain_name_length(rdata.subspan(first));
    if (second == 0 || rdata.size() != first + second + kSoaNumbers) return std::nullopt;
    const std::uint8_t* const numbers = &rdata[first + second];
    return Soa{dns::load_be32(numbers), dns::load_be32(numbers + 4), dns::load_be32(numbers + 8),
               dns::load_be32(numbers + 12), dns::load_be32(numbers + 16)};
}

// ---- records of an owner

ZoneRecord OwnerRecords::record_at(std::size_t at) const {
    const std::uint8_t* const head = &bytes_[at];
    const std::size_t length = dns::load_be16(head + 6);
    return {dns::load_be16(head), dns::load_be32(head + 2), bytes_.subspan(at + kHead, length)};
}

std::optional<ZoneRecord> OwnerRecords::find(std::uint16_t type) const {
    std::optional<ZoneRecord> found;
    for_each([&](const ZoneRecord& record) {
        if (!found && record.type == type) found = record;
    });
    return found;
}

void OwnerRecords::add(Bytes& to, const ZoneRecord& record) {
    put16(to, record.type);
    put32(to, record.ttl_s);
    put16(to, static_cast<std::uint16_t>(record.rdata.size()));
    to.insert(to.end(), record.rdata.begin(), record.rdata.end());
}

bool OwnerRecords::is_whole(ByteSpan bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (bytes.size() - at < kHead) return false;
        const std::size_t length = dns::load_be16(&bytes[at + 6]);
        if (length > bytes.size() - at - kHead ||
            !has_whole_names(dns::load_be16(&bytes[at]), bytes.subspan(at + kHead, length)))
            return false;
        at += kHead + length;
    }
    return at > 0;
}

bool has_whole_names(std::uint16_t type, ByteSpan rdata) {
    const dns::RdataLayout layout = dns::rdata_layout(type);
    if (layout.rule == dns::NameRule::none) return true;
    std::size_t at = layout.fixed;
    for (unsigned i = 0; i < layout.strings; ++i)
        at += at < rdata.size() ? 1U + rdata[at] : 1U;
    for (unsigned i = 0; i < layout.names; ++i) {
        if (at >= rdata.size()) return false;
        const std::size_t length = dns::plain_name_length(rdata.subspan(at));
        if (length == 0) return false;
        at += length;
    }
    return at <= rdata.size() &&
           (layout.rest < 0 || rdata.size() - at == static_cast<std::size_t>(layout.rest));
}

// ---- image

ZoneImage::Owner ZoneImage::at(std::size_t i) const {
    const std::uint8_t* const start = &bytes_[starts_[i]];
    const std::size_t name = start[0];
    const std::size_t length = dns::load_be32(start + 1 + name);
    return {{start + 1, name}, OwnerRecords({start + 1 + name + kLength, length})};
}

std::size_t ZoneImage::place_of(ByteSpan name) const {
    std::size_t low = 0, high = starts_.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (compare_names(at(middle).name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

OwnerRecords ZoneImage::find(ByteSpan name) const {
    const std::size_t place = place_of(name);
    if (place == starts_.size() || !std::ranges::equal(at(place).name, name)) return {};
    return at(place).records;
}

Result<std::shared_ptr<const ZoneImage>> ZoneImage::from_stored(Bytes bytes, ByteSpan zone) {
    if (bytes.size() > UINT32_MAX) return Error{"it is larger than 4 GiB"};
    auto image = std::make_shared<ZoneImage>();
    const ByteSpan all(bytes);
    ByteSpan before;
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t name = all[at];
        if (name == 0 || all.size() - at < 1 + name + kLength) return Error{"an owner is cut off"};
        const ByteSpan owner = all.subspan(at + 1, name);
        if (!dns::is_plain_name(owner)) return Error{"an owner is not a name"};
        if (!is_in_zone(owner, zone)) return Error{"an owner is not in the zone"};
        if (!before.empty() && compare_names(before, owner) >= 0)
            return Error{"its owners are not in order"};
        const std::size_t length = dns::load_be32(&all[at + 1 + name]);
        const std::size_t records = at + 1 + name + kLength;
        if (length > all.size() - records || !OwnerRecords::is_whole(all.subspan(records, length)))
            return Error{"the records of an owner are cut off"};
        image->starts_.push_back(static_cast<std::uint32_t>(at));
        image->records_ += OwnerRecords(all.subspan(records, length)).count();
        before = owner;
        at = records + length;
    }
    image->bytes_ = std::move(bytes);
    return {boost::system::in_place_value, std::move(image)};
}

// ---- builder

void ZoneImageBuilder::add(ByteSpan name, const ZoneRecord& record) {
    places_.push_back(static_cast<std::uint32_t>(draft_.size()));
    draft_.push_back(static_cast<std::uint8_t>(name.size()));
    draft_.insert(draft_.end(), name.begin(), name.end());
    OwnerRecords::add(draft_, record);
}

void ZoneImageBuilder::add_owner(ByteSpan name, OwnerRecords records) {
    out_.starts_.push_back(static_cast<std::uint32_t>(out_.bytes_.size()));
    out_.bytes_.push_back(static_cast<std::uint8_t>(name.size()));
    out_.bytes_.insert(out_.bytes_.end(), name.begin(), name.end());
    put32(out_.bytes_, static_cast<std::uint32_t>(records.bytes().size()));
    out_.bytes_.insert(out_.bytes_.end(), records.bytes().begin(), records.bytes().end());
    out_.records_ += records.count();
}

ByteSpan ZoneImageBuilder::name_at(std::uint32_t place) const {
    return {&draft_[place + 1U], draft_[place]};
}

ZoneRecord ZoneImageBuilder::record_at(std::uint32_t place) const {
    const std::size_t at = place + 1U + draft_[place];
    const std::size_t length =
        OwnerRecords::kHead + dns::load_be16(&draft_[at + OwnerRecords::kHead - 2]);
    ZoneRecord out;
    OwnerRecords(ByteSpan(&draft_[at], length)).for_each([&](const ZoneRecord& r) { out = r; });
    return out;
}

void ZoneImageBuilder::sort_by_name() {
    // Primaries send zones in order, mostly.
    const auto is_before = [this](std::uint32_t a, std::uint32_t b) {
        return compare_names(name_at(a), name_at(b)) < 0;
    };
    if (std::ranges::is_sorted(places_, is_before)) return;
    struct Sorted {
        std::uint64_t key;
        std::uint32_t length, place;
    };
    std::string keys;
    std::vector<Sorted> order;
    order.reserve(places_.size());
    for (const std::uint32_t place : places_) {
        const std::size_t key = keys.size();
        add_sort_key(name_at(place), keys);
        order.push_back({key, static_cast<std::uint32_t>(keys.size() - key), place});
    }
    const auto key_of = [&](const Sorted& one) {
        return std::string_view(keys).substr(one.key, one.length);
    };
    std::ranges::stable_sort(
        order, [&](const Sorted& x, const Sorted& y) { return key_of(x) < key_of(y); });
    std::ranges::transform(order, places_.begin(), &Sorted::place);
}

std::shared_ptr<const ZoneImage> ZoneImageBuilder::finish() {
    sort_by_name();
    std::vector<ZoneRecord> records;
    for (std::size_t i = 0; i < places_.size();) {
        const ByteSpan name = name_at(places_[i]);
        records.clear();
        for (; i < places_.size() && std::ranges::equal(name_at(places_[i]), name); ++i)
            records.push_back(record_at(places_[i]));
        std::ranges::stable_sort(records,
                                 [](const auto& a, const auto& b) { return compare(a, b) < 0; });
        records.erase(std::unique(records.begin(), records.end(),
                                  [](const auto& a, const auto& b) { return compare(a, b) == 0; }),
                      records.end());
        add_owner(name, OwnerRecords(encoded(records)));
    }
    draft_ = {};
    places_ = {};
    auto image = std::make_shared<ZoneImage>(std::move(out_));
    out_ = {};
    return image;
}

// ---- contents

std::size_t ZoneContents::bytes() const {
    std::size_t all = image_ == nullptr ? 0 : image_->bytes();
    for (const auto& [name, records] : changes_)
        all += name.size() + records.size();
    return all;
}

std::optional<Soa> ZoneContents::soa() const {
    const auto record = find(zone_).find(dns::kSoa);
    return record ? soa_of(record->rdata) : std::nullopt;
}

OwnerRecords ZoneContents::find(ByteSpan name) const {
    if (const auto changed = changes_.find(name); changed != changes_.end())
        return OwnerRecords(changed->second);
    return image_ == nullptr ? OwnerRecords() : image_->find(name);
}

void ZoneContents::for_each(const std::function<void(ByteSpan, OwnerRecords)>& visit) const {
    auto changed = changes_.begin();
    const auto give_changed = [&] {
        if (!changed->second.empty()) visit(changed->first, OwnerRecords(changed->second));
        ++changed;
    };
    const std::size_t owners = image_ == nullptr ? 0 : image_->owners();
    for (std::size_t i = 0; i < owners; ++i) {
        const ZoneImage::Owner owner = image_->at(i);
        int order = -1;
        while (changed != changes_.end()) {
            order = compare_names(owner.name, changed->first);
            if (order <= 0) break;
            give_changed();
            order = -1;
        }
        if (changed != changes_.end() && order == 0) {
            give_changed();
        } else {
            visit(owner.name, owner.records);
        }
    }
    while (changed != changes_.end())
        give_changed();
}

Result<void> ZoneContents::replace(std::shared_ptr<const ZoneImage> image) {
    std::size_t count = 0;
    image->find(zone_).for_each([&](const ZoneRecord& record) {
        if (record.type == dns::kSoa && soa_of(record.rdata)) ++count;
    });
    if (count != 1) return Error{"the zone has " + std::to_string(count) + " SOA records"};
    records_ = image->records();
    image_ = std::move(image);
    changes_.clear();
    return {};
}

Result<void> ZoneContents::apply(const std::vector<ZoneDifference>& differences,
                                 std::vector<Bytes>& touched) {
    std::map<Bytes, OwnerDraft, CanonicalLess> draft;
    std::size_t records = records_;
    // `owner`: in the zone.
    const auto draft_of = [&](const Bytes& owner) -> OwnerDraft& {
        const auto [at, fresh] = draft.try_emplace(owner);
        if (fresh) at->second = draft_records(find(owner));
        return at->second;
    };
    const auto is_own_name = [this](ByteSpan owner) {
        return dns::is_plain_name(owner) && is_in_zone(owner, zone_);
    };
    constexpr const char* kNotInZone = " is not of the zone";
    const auto refuse = [](const ZoneDifference::Change& change, const char* what) {
        return Error{"the record of type " + std::to_string(change.type) + " at " +
                     dns::name_to_text(change.owner) + what};
    };
    for (const ZoneDifference& difference : differences) {
        for (const auto& change : difference.removed) {
            if (!is_own_name(change.owner)) return refuse(change, kNotInZone);
            if (draft_of(change.owner).erase({change.type, change.rdata}) == 0)
                return refuse(change, " is removed, but is not in the zone");
            --records;
        }
        for (const auto& change : difference.added) {
            if (!is_own_name(change.owner)) return refuse(change, kNotInZone);
            OwnerDraft& now = draft_of(change.owner);
            if (!now.try_emplace({change.type, change.rdata}, change.ttl_s).second)
                return refuse(change, " is added, but is in the zone");
            ++records;
        }
    }
    std::size_t soas = 0;
    for (const auto& [key, ttl_s] : draft_of(zone_)) {
        if (key.first == dns::kSoa) ++soas;
    }
    if (soas != 1) return Error{"the changed zone has " + std::to_string(soas) + " SOA records"};
    for (const auto& [owner, now] : draft) {
        touched.push_back(owner);
        changes_[owner] = encoded(now);
    }
    records_ = records;
    return {};
}

void ZoneContents::merge() {
    if (changes_.empty()) return;
    ZoneImageBuilder builder;
    for_each([&](ByteSpan name, OwnerRecords records) { builder.add_owner(name, records); });
    image_ = builder.finish();
    changes_.clear();
}

}  // namespace steer::transfer
