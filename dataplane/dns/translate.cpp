#include "dataplane/dns/translate.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/dns/answer_writer.h"
#include "dataplane/dns/hints.h"

namespace steer::dns {
namespace {

constexpr std::size_t kV4Bytes = 4, kV6Bytes = 16;
enum class Fate : std::uint8_t { stays, goes, becomes_aaaa, changes_hints };

std::uint16_t type_that_changes(Translate what, std::uint16_t type) {
    switch (what) {
        case Translate::addresses:
            return kA;
        case Translate::counted_only:
            return kAaaa;
        case Translate::hints:
        case Translate::all_hints:
        case Translate::without_v4:
        case Translate::without_v6:
            return type == kSvcb ? kSvcb : kHttps;
    }
    return 0;
}

bool makes_hints(Translate what) {
    return what == Translate::hints || what == Translate::all_hints;
}

bool takes_family(Translate what) {
    return what == Translate::without_v4 || what == Translate::without_v6;
}

// IPv4 as IPv6 (::ffff:0:0/96: RFC 4291 2.5.5.2).
bool is_mapped_v4(const std::uint8_t* v6) {
    static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    return std::equal(kMapped.begin(), kMapped.end(), v6);
}

// An AAAA or hint that goes with the family. IPv4 in it (::ffff:0:0/96) goes with IPv4.
bool is_in_family_taken(Translate what, const std::uint8_t* v6) {
    return is_mapped_v4(v6) == (what == Translate::without_v4);
}

// The data of an SVCB or HTTPS record with other hints of one family, or without them.
class HintWriter {
  public:
    HintWriter(const Translation& translation, Translate what)
        : translation_(translation), what_(what) {}

    // Whether this record's hints change.
    [[nodiscard]] bool applies(std::span<const std::uint8_t> rdata) noexcept {
        const Hints hints = hints_of(rdata);
        count_ = 0;
        drops_v4_ = what_ == Translate::without_v4 && !hints.v4.empty();
        changes_v6_ = true;
        if (takes_family(what_)) {
            for (std::size_t at = 0; at < hints.v6.size() && count_ < kMax; at += kV6Bytes) {
                if (is_in_family_taken(what_, &hints.v6[at])) continue;
                std::memcpy(&made_[count_++ * kV6Bytes], &hints.v6[at], kV6Bytes);
            }
            changes_v6_ = count_ * kV6Bytes != hints.v6.size();
            leaves_any_ = count_ > 0 || (!drops_v4_ && !hints.v4.empty());
            return drops_v4_ || changes_v6_;
        }
        if (hints.v4.empty() || (what_ == Translate::hints && !hints.v6.empty())) return false;
        for (std::size_t at = 0; at < hints.v4.size() && count_ < kMax; at += kV4Bytes)
            if (translation_.to_v6(&hints.v4[at], &made_[count_ * kV6Bytes])) ++count_;
        return count_ > 0;
    }
    // After applies() of a family: whether the record has hints then.
    [[nodiscard]] bool leaves_any() const noexcept { return leaves_any_; }
    // After applies(). Empty: no space.
    [[nodiscard]] std::span<const std::uint8_t> data(std::span<const std::uint8_t> rdata) noexcept {
        if (rdata.size() + kSvcParamHead + count_ * kV6Bytes > out_.size()) return {};
        std::size_t at = 2 + plain_name_length(rdata.subspan(2));
        std::size_t size = append(0, rdata.first(at));
        bool is_written = !changes_v6_ || count_ == 0;
        while (at < rdata.size()) {
            const std::uint16_t key = load_be16(&rdata[at]);
            const auto param = rdata.subspan(at, kSvcParamHead + load_be16(&rdata[at + 2]));
            if (key >= kIpv6Hint && !is_written) {
                size = append_hints(size);
                is_written = true;
            }
            if (key == kMandatory) {
                size = append_mandatory(size, param);
            } else if (!is_gone(key) && !(key == kIpv6Hint && changes_v6_)) {
                size = append(size, param);
            }
            at += param.size();
        }
        if (!is_written) size = append_hints(size);
        return {out_.data(), size};
    }

  private:
    static constexpr std::size_t kMax = 32;  // hints of a record that are read

    std::size_t append(std::size_t size, std::span<const std::uint8_t> bytes) noexcept {
        std::memcpy(&out_[size], bytes.data(), bytes.size());
        return size + bytes.size();
    }
    [[nodiscard]] bool is_gone(std::uint16_t key) const noexcept {
        return (key == kIpv4Hint && drops_v4_) || (key == kIpv6Hint && changes_v6_ && count_ == 0);
    }
    // Without the keys that are gone. A list must not be empty (RFC 9460 8).
    std::size_t append_mandatory(std::size_t size, std::span<const std::uint8_t> param) noexcept {
        std::size_t end = size + kSvcParamHead;
        for (std::size_t at = kSvcParamHead; at + 2 <= param.size(); at += 2) {
            if (!is_gone(load_be16(&param[at]))) end = append(end, param.subspan(at, 2));
        }
        if (end == size + kSvcParamHead) return size;
        store_be16(&out_[size], kMandatory);
        store_be16(&out_[size + 2], static_cast<std::uint16_t>(end - size - kSvcParamHead));
        return end;
    }
    std::size_t append_hints(std::size_t size) noexcept {
        store_be16(&out_[size], kIpv6Hint);
        store_be16(&out_[size + 2], static_cast<std::uint16_t>(count_ * kV6Bytes));
        return append(size + kSvcParamHead, {made_.data(), count_ * kV6Bytes});
    }

    const Translation& translation_;
    Translate what_;
    bool drops_v4_ = false, changes_v6_ = true, leaves_any_ = false;
    std::size_t count_ = 0;
    std::array<std::uint8_t, kMax * kV6Bytes> made_;
    std::array<std::uint8_t, 4096> out_;
};

class Translator {
  public:
    Translator(const Answer& from, Translate what, const Translation& translation)
        : from_(from), what_(what), translation_(translation), hints_(translation, what) {}

    // The change for a record of the old body, counted from 0.
    [[nodiscard]] Fate fate(unsigned record) noexcept {
        if (record >= from_.ancount && !takes_family(what_)) return Fate::stays;
        const std::size_t ttl = from_.ttl_offsets()[record];
        const std::uint8_t* const fields = from_.body() + ttl;
        const std::uint16_t type = load_be16(fields - kTypeBeforeTtl);
        if (load_be16(fields - 2) != kIn) return Fate::stays;
        const std::uint8_t* const data = fields + kRdataAfterTtl;
        const std::size_t length = load_be16(fields + 4);
        if (record >= from_.ancount) return fate_behind_answer(record, type, {data, length});
        if (type == kRrsig) {
            const std::uint16_t covered = length < 2 ? std::uint16_t{0} : load_be16(data);
            return covered == type_that_changes(what_, covered) ? Fate::goes : Fate::stays;
        }
        if (type != type_that_changes(what_, type)) return Fate::stays;
        if (what_ == Translate::addresses) {
            std::array<std::uint8_t, kV6Bytes> v6;
            const bool has_one = length == kV4Bytes && translation_.to_v6(data, v6.data());
            return has_one ? Fate::becomes_aaaa : Fate::goes;
        }
        if (what_ == Translate::counted_only)
            return length != kV6Bytes || translation_.counts(data) ? Fate::stays : Fate::goes;
        return hints_.applies({data, length}) ? Fate::changes_hints : Fate::stays;
    }

    std::size_t write(const TranslateTerms& terms, std::span<std::uint8_t> block) noexcept {
        AnswerWriter writer(from_, terms.asked, terms.asked, terms.age_s, block);
        if (!writer.begin(head())) return 0;
        BodyRecord record;
        for (unsigned r = 0; r < from_.ttl_count; ++r) {
            if (!writer.read(r, record.end, record)) return 0;
            if (!put(writer, record, fate(r), terms.most_ttl_s)) return 0;
        }
        return writer.finish();
    }

  private:
    // For a record of the authority or additional section: clients use its addresses like hints.
    [[nodiscard]] Fate fate_behind_answer(unsigned record, std::uint16_t type,
                                          std::span<const std::uint8_t> data) const noexcept {
        if (record < unsigned{from_.ancount} + from_.nscount) return Fate::stays;
        if (type == kAaaa && data.size() == kV6Bytes)
            return is_in_family_taken(what_, data.data()) ? Fate::goes : Fate::stays;
        if (type == kRrsig) type = data.size() < 2 ? std::uint16_t{0} : load_be16(data.data());
        return type == (what_ == Translate::without_v4 ? kA : kAaaa) ? Fate::goes : Fate::stays;
    }
    // For an answer that changes like this.
    [[nodiscard]] bool has_hints_left() noexcept {
        if (!takes_family(what_)) return from_.has_hints;
        for (unsigned r = 0; from_.has_hints && r < from_.ancount; ++r) {
            const std::uint8_t* const ttl = from_.body() + from_.ttl_offsets()[r];
            if (!hints_of_record(from_, r).any()) continue;
            (void)hints_.applies({ttl + kRdataAfterTtl, load_be16(ttl + kLengthAfterTtl)});
            if (hints_.leaves_any()) return true;
        }
        return false;
    }
    [[nodiscard]] Answer head() noexcept {
        Answer head = from_;
        head.flags &= static_cast<std::uint16_t>(~kAd);
        if (what_ == Translate::addresses) head.negative = head.has_soa = false;
        head.has_hints = has_hints_left();
        unsigned gone = 0, additional_gone = 0;
        bool has_aaaa = false;
        for (unsigned r = 0; r < from_.ancount && r < from_.ttl_count; ++r) {
            const bool goes = fate(r) == Fate::goes;
            gone += goes ? 1U : 0U;
            has_aaaa |= !goes && type_of(r) == kAaaa;
        }
        for (unsigned r = from_.ancount; takes_family(what_) && r < from_.ttl_count; ++r)
            additional_gone += fate(r) == Fate::goes ? 1U : 0U;
        head.ancount = static_cast<std::uint16_t>(head.ancount - gone);
        head.arcount = static_cast<std::uint16_t>(head.arcount - additional_gone);
        head.ttl_count = static_cast<std::uint16_t>(head.ttl_count - gone - additional_gone);
        head.address_count = addresses_left();
        if (what_ == Translate::counted_only && head.rcode == kNoError && !has_aaaa)
            head.negative = true;
        return head;
    }
    [[nodiscard]] std::uint16_t type_of(unsigned record) const noexcept {
        return load_be16(from_.body() + from_.ttl_offsets()[record] - kTypeBeforeTtl);
    }
    [[nodiscard]] std::uint16_t addresses_left() noexcept {
        std::uint16_t left = 0;
        std::array<std::uint8_t, kV6Bytes> v6;
        for (unsigned i = 0; i < from_.address_count; ++i) {
            const AddressRef ref = from_.addresses()[i];
            const std::uint8_t* const bytes = from_.body() + ref.rdata_offset;
            const bool goes =
                (what_ == Translate::addresses && ref.is_v6 == 0 &&
                 !translation_.to_v6(bytes, v6.data())) ||
                (what_ == Translate::counted_only && ref.is_v6 != 0 && !translation_.counts(bytes));
            if (!goes) ++left;
        }
        return left;
    }

    bool put(AnswerWriter& writer, const BodyRecord& record, Fate fate,
             std::uint32_t most_ttl_s) noexcept {
        switch (fate) {
            case Fate::stays:
                return writer.copy(record);
            case Fate::goes:
                return true;
            case Fate::becomes_aaaa: {
                std::array<std::uint8_t, kV6Bytes> v6;
                translation_.to_v6(writer.data_of(record).data(), v6.data());
                return writer.put(record.owner, kAaaa, std::min(record.ttl_s, most_ttl_s), v6,
                                  true);
            }
            case Fate::changes_hints: {
                const auto rdata = writer.data_of(record);
                if (!hints_.applies(rdata)) return false;
                const auto data = hints_.data(rdata);
                return !data.empty() && writer.put(record.owner, record.type, record.ttl_s, data,
                                                   hints_of(data).any());
            }
        }
        return false;
    }

    const Answer& from_;
    Translate what_;
    const Translation& translation_;
    HintWriter hints_;
};

}  // namespace

bool any_translated(const Answer& answer, Translate what, const Translation& translation) noexcept {
    std::array<std::uint8_t, kV6Bytes> v6;
    const AddressRef* const refs = answer.addresses();
    return std::any_of(refs, refs + answer.address_count, [&](const AddressRef& ref) {
        const std::uint8_t* const bytes = answer.body() + ref.rdata_offset;
        if (what == Translate::addresses)
            return ref.is_v6 == 0 && translation.to_v6(bytes, v6.data());
        return ref.is_v6 != 0 && translation.counts(bytes);
    });
}

bool would_change(const Answer& answer, Translate what, const Translation& translation) noexcept {
    if (makes_hints(what) && !answer.has_hints) return false;
    Translator translator(answer, what, translation);
    for (unsigned r = 0; r < answer.ttl_count; ++r) {
        const Fate fate = translator.fate(r);
        const std::uint8_t* const fields = answer.body() + answer.ttl_offsets()[r];
        if (fate != Fate::stays && load_be16(fields - kTypeBeforeTtl) != kRrsig) return true;
    }
    return false;
}

const Translation& no_translation() noexcept {
    struct None final : Translation {
        bool to_v6(const std::uint8_t*, std::uint8_t*) const noexcept override { return false; }
        bool counts(const std::uint8_t*) const noexcept override { return true; }
    };
    static constexpr None kNone;
    return kNone;
}

std::size_t write_translated(const Answer& answer, const TranslateTerms& terms,
                             const Translation& translation,
                             std::span<std::uint8_t> block) noexcept {
    return Translator(answer, terms.what, translation).write(terms, block);
}

}  // namespace steer::dns
