#include "dataplane/dns/scrub.h"

#include <algorithm>
#include <array>

#include "dataplane/dns/name.h"
#include "dataplane/dns/rdata.h"
#include "dataplane/dns/walk.h"

namespace steer::dns {
namespace {

// One more than an answer may have, so that walk_of() sees that it is too long.
constexpr unsigned kKeptLinks = kMaxLinks + 1;
constexpr unsigned kMaxTargets = 64;
constexpr unsigned kMaxAdditional = 64;
constexpr std::uint16_t kPointerToQuestion = 0xc000 | kHeaderSize;

// The name at `at`, which a RecordReader has checked.
void expand(std::span<const std::uint8_t> message, std::size_t at, Name& out) {
    out.length = 0;
    for (;;) {
        const std::uint8_t length = message[at];
        if (length >= 0xc0) {
            at = (length & 0x3fU) << 8 | message[at + 1];
            continue;
        }
        std::memcpy(&out.wire[out.length], &message[at], length + 1U);
        out.length = static_cast<std::uint8_t>(out.length + length + 1);
        if (length == 0) return;
        at += length + 1U;
    }
}

std::uint8_t lower_letter(std::uint8_t c) {
    return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + ('a' - 'A')) : c;
}

// The name at `at`, which a RecordReader has checked, is this one.
bool is_name_at(std::span<const std::uint8_t> message, std::size_t at, const Name& name) {
    std::size_t compared = 0;
    for (;;) {
        const std::uint8_t length = message[at];
        if (length >= 0xc0) {
            at = (length & 0x3fU) << 8 | message[at + 1];
            continue;
        }
        const std::size_t label = length + 1U;
        if (compared + label > name.length || name.wire[compared] != length) return false;
        if (length == 0) return true;
        for (std::size_t i = 1; i < label; ++i) {
            if (lower_letter(message[at + i]) != lower_letter(name.wire[compared + i]))
                return false;
        }
        compared += label;
        at += label;
    }
}

bool is_above(const Name& upper, const Name& lower) {
    std::span<const std::uint8_t> rest = lower.bytes();
    while (rest.size() > upper.length)
        rest = rest.subspan(1U + rest[0]);
    return rest.size() == upper.length && lower.length != upper.length &&
           same_name(rest, upper.bytes());
}

bool asks_for_all(std::uint16_t qtype) {
    return qtype == kAny || qtype == kMailB || qtype == kMailA;
}

// Types whose data has a host name for the additional section.
bool names_a_target(std::uint16_t type) {
    switch (type) {
        case kNs:
        case 3:  // MD
        case 4:  // MF
        case 7:  // MB
        case kMx:
        case 18:  // AFSDB
        case 21:  // RT
        case kSrv:
        case 35:  // NAPTR
        case 36:  // KX
        case kSvcb:
        case kHttps:
            return true;
        default:
            return false;
    }
}

class Scrubber {
  public:
    Scrubber(std::span<const std::uint8_t> message, const ScrubTerms& terms,
             std::span<RecordPlace> records)
        : message_(message), terms_(terms), records_(records) {
        push_name(kHeaderSize);
        follow_aliases();
    }

    void mark() {
        bool has_asked = false;
        bool has_soa = false;
        for (RecordPlace& r : records_) {
            if (r.section == kAnswerSection) {
                r.keep = keeps_answer(r);
                has_asked |= r.keep && (r.type == terms_.qtype || asks_for_all(terms_.qtype));
            } else if (r.section == kAuthoritySection) {
                r.keep = keeps_authority(r);
                has_soa |= r.keep && r.type == kSoa;
            }
        }
        if (!has_asked && has_soa) drop_ns();
        mark_additional();
    }

  private:
    void push_name(std::size_t at) {
        pointer_[links_] = at < 0x4000 ? static_cast<std::uint16_t>(0xc000U | at) : kNoPointer;
        expand(message_, at, names_[links_++]);
    }
    [[nodiscard]] bool has_class(const RecordPlace& r) const {
        return r.klass == terms_.qclass || terms_.qclass == kAnyClass;
    }
    [[nodiscard]] std::uint16_t covered(const RecordPlace& rrsig) const {
        return load_be16(&message_[rrsig.fixed + kRecordFixed]);
    }

    // The chain's i-th name owns it.
    [[nodiscard]] bool is_owned_by(unsigned i, const RecordPlace& r) const {
        return load_be16(&message_[r.start]) == pointer_[i] ||
               is_name_at(message_, r.start, names_[i]);
    }
    [[nodiscard]] bool is_of_last(const RecordPlace& r) const { return is_owned_by(links_ - 1, r); }
    [[nodiscard]] bool is_of_chain(const RecordPlace& r) const {
        for (unsigned i = 0; i < links_; ++i) {
            if (is_owned_by(i, r)) return true;
        }
        return false;
    }
    [[nodiscard]] bool is_above_chain(const RecordPlace& r) const {
        Name owner;
        expand(message_, r.start, owner);
        return std::any_of(names_.begin(), names_.begin() + links_,
                           [&](const Name& name) { return is_above(owner, name); });
    }

    // The chain, and `keep` of its CNAMEs.
    void follow_aliases() {
        if (terms_.qtype == kCname) return;
        std::array<RecordPlace*, kMaxAliases> aliases;
        unsigned count = 0;
        for (RecordPlace& r : records_) {
            if (r.section != kAnswerSection || count == kMaxAliases) break;
            if ((r.type == kCname || r.type == kDname) && has_class(r)) aliases[count++] = &r;
        }
        const std::span<RecordPlace*> all(aliases.data(), count);
        while (links_ <= kKeptLinks && !is_loop() && (follow_cname(all) || follow_dname(all))) {
        }
    }
    [[nodiscard]] bool is_loop() const {
        const auto* const last = names_.begin() + links_ - 1;
        return std::any_of(names_.begin(), last, [&](const Name& name) {
            return name.length == last->length && same_name(name.bytes(), last->bytes());
        });
    }
    bool follow_cname(std::span<RecordPlace*> aliases) {
        for (RecordPlace* r : aliases) {
            if (r->type != kCname || r->keep || !is_of_last(*r)) continue;
            r->keep = true;
            push_name(r->fixed + kRecordFixed);
            return true;
        }
        return false;
    }
    // A DNAME whose CNAME is missing (RFC 6672 2.2).
    bool follow_dname(std::span<RecordPlace*> aliases) {
        for (RecordPlace* r : aliases) {
            if (r->type != kDname || r->keep) continue;
            Name owner;
            expand(message_, r->start, owner);
            const Name& last = names_[links_ - 1];
            if (!is_above(owner, last)) continue;
            Name target;
            expand(message_, r->fixed + kRecordFixed, target);
            const std::size_t prefix = last.length - std::size_t{owner.length};
            if (prefix + target.length > kMaxName) return false;
            r->keep = true;
            Name& next = names_[links_];
            std::memcpy(next.wire.data(), last.wire.data(), prefix);
            std::memcpy(&next.wire[prefix], target.wire.data(), target.length);
            next.length = static_cast<std::uint8_t>(prefix + target.length);
            pointer_[links_++] = kNoPointer;
            return true;
        }
        return false;
    }

    [[nodiscard]] bool keeps_answer(const RecordPlace& r) const {
        if (!has_class(r)) return false;
        if (r.type == kCname && terms_.qtype != kCname) return r.keep;
        if (r.type == kDname && is_above_chain(r)) return true;
        if (r.type == kRrsig) {
            const std::uint16_t type = covered(r);
            if (type == kCname && is_of_chain(r)) return true;
            if (type == kDname && is_above_chain(r)) return true;
            if (type == terms_.qtype) return terms_.rcode == kNoError && is_of_last(r);
        }
        if (terms_.rcode != kNoError) return false;
        if (asks_for_all(terms_.qtype)) return is_of_chain(r);
        return r.type == terms_.qtype && is_of_last(r);
    }

    [[nodiscard]] bool keeps_authority(const RecordPlace& r) const {
        if (!has_class(r)) return false;
        const std::uint16_t type = r.type == kRrsig ? covered(r) : r.type;
        if (type == kNsec || type == kNsec3) return true;
        if (type != kSoa && type != kNs && type != kDs) return false;
        return is_of_chain(r) || is_above_chain(r);
    }
    void drop_ns() {
        for (RecordPlace& r : records_) {
            if (r.section != kAuthoritySection) continue;
            if (r.type == kNs || (r.type == kRrsig && covered(r) == kNs)) r.keep = false;
        }
    }

    // None of a response that is an error: no list claims their addresses.
    void mark_additional() {
        if (terms_.rcode != kNoError) return;
        unsigned inspected = 0;
        unsigned targets = 0;
        for (std::size_t i = 0, noted = 0; i < records_.size(); ++i) {
            RecordPlace& r = records_[i];
            if (r.section != kAdditionalSection) continue;
            r.keep = false;
            if (inspected == kMaxAdditional) continue;
            ++inspected;
            // Records before it are decided: what they name counts.
            for (; noted < i; ++noted)
                note_target(records_[noted], targets);
            r.keep = keeps_additional(r, targets);
        }
    }
    void note_target(const RecordPlace& r, unsigned& targets) {
        if (!r.keep || !names_a_target(r.type) || targets == kMaxTargets) return;
        const RdataLayout layout = rdata_layout(r.type);
        std::size_t at = r.fixed + kRecordFixed + layout.fixed;
        for (unsigned i = 0; i < layout.strings; ++i)
            at += 1U + message_[at];
        expand(message_, at, targets_[targets]);
        const bool is_service = r.type == kSvcb || r.type == kHttps;
        // RFC 9460 2.5: the root stands for the record's owner.
        if (is_service && targets_[targets].length == 1)
            expand(message_, r.start, targets_[targets]);
        ++targets;
    }
    [[nodiscard]] bool keeps_additional(const RecordPlace& r, unsigned targets) const {
        if (!has_class(r) || r.type == kCname || r.type == kDname || r.type == kNs ||
            r.type == kSoa)
            return false;
        return std::any_of(targets_.begin(), targets_.begin() + targets,
                           [&](const Name& name) { return is_name_at(message_, r.start, name); });
    }

    static constexpr std::uint16_t kNoPointer = 0x8000;  // no checked name begins with it

    std::span<const std::uint8_t> message_;
    const ScrubTerms& terms_;
    std::span<RecordPlace> records_;
    unsigned links_ = 0;  // names in the chain
    std::array<Name, kKeptLinks + 2> names_;
    std::array<std::uint16_t, kKeptLinks + 2> pointer_;  // the pointer to the name in an owner
    std::array<Name, kMaxTargets> targets_;
};

// The usual answer: only records of the asked type, each with a pointer to the question's name.
bool is_plain(std::span<const std::uint8_t> message, const ScrubTerms& terms,
              std::span<const RecordPlace> records) {
    return terms.rcode == kNoError &&
           std::all_of(records.begin(), records.end(), [&](const RecordPlace& r) {
               return r.section == kAnswerSection && r.type == terms.qtype &&
                      r.klass == terms.qclass && load_be16(&message[r.start]) == kPointerToQuestion;
           });
}

bool may_have_records(std::uint8_t rcode) {
    return rcode == kNoError || rcode == kNxDomain || rcode == kYxDomain;
}

}  // namespace

std::uint16_t scrub(std::span<const std::uint8_t> message, const ScrubTerms& terms,
                    std::span<RecordPlace> records) noexcept {
    const bool all = is_plain(message, terms, records);
    for (RecordPlace& r : records)
        r.keep = all;
    if (all) return 0;
    if (may_have_records(terms.rcode)) Scrubber(message, terms, records).mark();
    const auto kept =
        std::count_if(records.begin(), records.end(), [](const RecordPlace& r) { return r.keep; });
    return static_cast<std::uint16_t>(records.size() - static_cast<std::size_t>(kept));
}

}  // namespace steer::dns
