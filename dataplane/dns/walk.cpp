#include "dataplane/dns/walk.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include "dataplane/dns/answer_writer.h"
#include "dataplane/dns/body_names.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/rdata.h"

namespace steer::dns {
namespace {

unsigned answer_records(const Answer& answer) {
    return std::min(answer.ancount, answer.ttl_count);
}
std::uint16_t type_at(const Answer& answer, unsigned record) {
    return load_be16(answer.body() + answer.ttl_offsets()[record] - kTypeBeforeTtl);
}
bool is_alias(std::uint16_t type) {
    return type == kCname || type == kDname;
}

bool has_chain(const Answer& answer, std::uint16_t qtype) {
    if (qtype == kCname || qtype == kAny || qtype == kMailB || qtype == kMailA) return false;
    for (unsigned r = 0; r < answer_records(answer); ++r) {
        if (is_alias(type_at(answer, r))) return true;
    }
    return false;
}

bool is_strictly_below(const Name& name, const Name& upper) {
    std::span<const std::uint8_t> rest = name.bytes();
    while (rest.size() > upper.length)
        rest = rest.subspan(1U + rest[0]);
    return name.length != upper.length && rest.size() == upper.length &&
           same_name(rest, upper.bytes());
}

// The records of an answer section one after the other, with the names that a walk needs.
class ChainReader {
  public:
    ChainReader(const Answer& answer, std::span<const std::uint8_t> asked)
        : answer_(answer), names_({answer.body(), answer.body_len}, asked) {}

    // The next record; false: it does not fit the body.
    bool next() noexcept {
        const std::size_t ttl = answer_.ttl_offsets()[record_];
        type = type_at(answer_, record_++);
        if (names_.read(at_, owner) == 0) return false;
        rdata_ = ttl + kRdataAfterTtl;
        at_ = rdata_ + load_be16(answer_.body() + ttl + kLengthAfterTtl);
        return true;
    }
    // Of a CNAME or DNAME; false: malformed.
    bool read_target(Name& out) const noexcept { return names_.read(rdata_, out) != 0; }

    std::uint16_t type = 0;
    Name owner;

  private:
    const Answer& answer_;
    BodyNames names_;
    unsigned record_ = 0;
    std::size_t at_ = 0, rdata_ = 0;
};

// Whether a DNAME leads from this name on.
bool any_dname_above(const Answer& answer, std::span<const std::uint8_t> asked, const Name& name) {
    ChainReader reader(answer, asked);
    for (unsigned r = 0; r < answer_records(answer); ++r) {
        if (!reader.next()) return false;
        if (reader.type == kDname && is_strictly_below(name, reader.owner)) return true;
    }
    return false;
}

// One CNAME of the chain: a record of the answer, or one that stands for the link of a DNAME.
struct Link {
    static constexpr std::uint16_t kNone = UINT16_MAX;
    std::uint16_t cname = kNone, dname = kNone;
    Name owner, target;
};

class Orderer {
  public:
    Orderer(const Answer& answer, std::span<const std::uint8_t> asked)
        : answer_(answer), asked_(asked) {}

    // Finds the links from the question's name on. False: too many, or a name that would be too long.
    bool follow() noexcept {
        Name present;
        set_name(present, asked_);
        for (;;) {
            Link& link = links_[count_];
            link = {};
            if (!find(present, link)) return true;
            if (link.target.length == 0 || ++count_ > kMaxLinks) return false;
            present = link.target;
        }
    }

    std::size_t write(std::span<std::uint8_t> block) noexcept {
        AnswerWriter writer(answer_, asked_, asked_, 0, block);
        Answer head = answer_;
        const auto made = static_cast<std::uint16_t>(
            std::count_if(links_.begin(), links_.begin() + count_,
                          [](const Link& link) { return link.cname == Link::kNone; }));
        head.ancount = static_cast<std::uint16_t>(head.ancount + made);
        head.ttl_count = static_cast<std::uint16_t>(head.ttl_count + made);
        if (!writer.begin(head)) return 0;
        BodyRecord record;
        for (unsigned r = 0; r < answer_.ttl_count; ++r) {
            starts_[r] = static_cast<std::uint16_t>(record.end);
            if (!writer.read(r, record.end, record)) return 0;
        }
        for (unsigned i = 0; i < count_; ++i) {
            if (!put(writer, links_[i])) return 0;
        }
        for (unsigned r = 0; r < answer_.ttl_count; ++r) {
            if (!written_[r] && !copy(writer, r)) return 0;
        }
        return writer.finish();
    }

  private:
    // The first unused CNAME of the name, and the first DNAME above it. False: neither. A target without length: too long.
    bool find(const Name& present, Link& link) noexcept {
        ChainReader reader(answer_, asked_);
        Name dname_owner, dname_target;
        for (unsigned r = 0; r < answer_records(answer_); ++r) {
            if (!reader.next()) return false;
            const auto place = static_cast<std::uint16_t>(r);
            if (reader.type == kCname && link.cname == Link::kNone && !is_used(place) &&
                same_name(reader.owner.bytes(), present.bytes())) {
                if (!reader.read_target(link.target)) return false;
                link.cname = place;
            } else if (reader.type == kDname && link.dname == Link::kNone &&
                       is_strictly_below(present, reader.owner)) {
                if (!reader.read_target(dname_target)) return false;
                dname_owner = reader.owner;
                link.dname = place;
            }
        }
        if (link.cname != Link::kNone) return true;
        if (link.dname == Link::kNone) return false;
        link.owner = present;
        const std::size_t prefix = present.length - std::size_t{dname_owner.length};
        if (prefix + dname_target.length > kMaxName) return true;  // its target has no length
        std::memcpy(link.target.wire.data(), present.wire.data(), prefix);
        std::memcpy(&link.target.wire[prefix], dname_target.wire.data(), dname_target.length);
        link.target.length = static_cast<std::uint8_t>(prefix + dname_target.length);
        return true;
    }
    [[nodiscard]] bool is_used(std::uint16_t cname) const noexcept {
        return std::any_of(links_.begin(), links_.begin() + count_,
                           [&](const Link& link) { return link.cname == cname; });
    }

    bool copy(AnswerWriter& writer, unsigned record) noexcept {
        written_[record] = true;
        BodyRecord r;
        return writer.read(record, starts_[record], r) && writer.copy(r);
    }
    bool put(AnswerWriter& writer, const Link& link) noexcept {
        if (link.dname != Link::kNone && !written_[link.dname] && !copy(writer, link.dname))
            return false;
        if (link.cname != Link::kNone) return copy(writer, link.cname);
        const std::uint32_t ttl_s = load_be32(answer_.body() + answer_.ttl_offsets()[link.dname]);
        return writer.put(link.owner, kCname, ttl_s, link.target.bytes(), false);
    }

    const Answer& answer_;
    std::span<const std::uint8_t> asked_;
    unsigned count_ = 0;
    std::array<Link, kMaxLinks + 1> links_;
    std::array<std::uint16_t, kMaxRecords> starts_;  // offsets in the body
    std::bitset<kMaxRecords> written_;
};

}  // namespace

Walk walk_of(const Answer& answer, std::span<const std::uint8_t> asked,
             std::uint16_t qtype) noexcept {
    if (!has_chain(answer, qtype)) return Walk::whole;
    ChainReader reader(answer, asked);
    Name present;
    set_name(present, asked);
    unsigned links = 0;
    bool has_dname = false;
    const bool is_of_any_name =
        qtype == kDname || qtype == kRrsig;  // those of the chain are kept, too
    for (unsigned r = 0; r < answer_records(answer); ++r) {
        if (!reader.next()) return Walk::disordered;
        has_dname |= reader.type == kDname;
        if (reader.type != kCname && (reader.type != qtype || is_of_any_name)) continue;
        if (!same_name(reader.owner.bytes(), present.bytes())) return Walk::disordered;
        if (reader.type != kCname) continue;
        if (!reader.read_target(present)) return Walk::disordered;
        if (++links > kMaxLinks) return Walk::too_long;
    }
    // With YXDOMAIN the DNAME leads to a name that is too long.
    if (!has_dname || answer.rcode == kYxDomain) return Walk::whole;
    return any_dname_above(answer, asked, present) ? Walk::disordered : Walk::whole;
}

std::size_t write_in_order(const Answer& answer, std::span<const std::uint8_t> asked,
                           std::uint16_t qtype, std::span<std::uint8_t> block) noexcept {
    if (answer.ttl_count > kMaxRecords) return 0;
    Orderer orderer(answer, asked);
    if (!orderer.follow()) return 0;
    const std::size_t size = orderer.write(block);
    if (size == 0) return 0;
    const auto& ordered = *reinterpret_cast<const Answer*>(block.data());
    return walk_of(ordered, asked, qtype) == Walk::whole ? size : 0;
}

}  // namespace steer::dns
