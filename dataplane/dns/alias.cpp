#include "dataplane/dns/alias.h"

#include <algorithm>
#include <array>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/compress.h"
#include "dataplane/dns/rdata.h"

namespace steer::dns {
namespace {

constexpr std::size_t kFixed = 10;  // type, class, TTL and RDLENGTH
constexpr unsigned kMostPointers = 127;

// The names of an answer's body, which was checked when it was made: pointers lead backwards, into the body or into the
// question before it. What is not so is no name.
class BodyNames {
  public:
    BodyNames(std::span<const std::uint8_t> body, std::span<const std::uint8_t> qname)
        : body_(body), qname_(qname), base_(kHeaderSize + qname.size() + 4) {}

    // The name at an offset of the body. Returns the offset after it as it lies there; 0: there is none.
    std::size_t read(std::size_t at, Name& out) const noexcept {
        std::span<const std::uint8_t> from = body_;
        std::size_t end = 0, length = 0;
        for (unsigned pointers = 0; at < from.size();) {
            const std::uint8_t byte = from[at];
            if (byte > kMaxLabel) {
                if (at + 1 >= from.size() || ++pointers > kMostPointers) return 0;
                if (end == 0) end = at + 2;
                const std::size_t to = load_be16(&from[at]) & 0x3fffU;
                if (to < kHeaderSize) return 0;
                const bool in_question = to < base_;
                from = in_question ? qname_ : body_;
                at = to - (in_question ? kHeaderSize : base_);
                continue;
            }
            if (at + byte + 1U > from.size() || length + byte + 1U > kMaxName) return 0;
            std::memcpy(&out.wire[length], &from[at], byte + 1U);
            length += byte + 1U;
            at += byte + 1U;
            if (byte != 0) continue;
            out.length = static_cast<std::uint8_t>(length);
            return end == 0 ? at : end;
        }
        return 0;
    }

  private:
    std::span<const std::uint8_t> body_, qname_;
    std::size_t base_;
};

class AliasWriter {
  public:
    AliasWriter(const Answer& from, const AliasTerms& terms, std::span<std::uint8_t> block)
        : from_(from),
          terms_(terms),
          block_(block),
          body_(from.body(), from.body_len),
          names_(body_, terms.asked) {}

    std::size_t write() noexcept {
        out_ = from_;
        if (terms_.with_cname) {
            ++out_.ancount;
            ++out_.ttl_count;
            out_.flags &= static_cast<std::uint16_t>(~kAd);  // the CNAME is our own word
            const bool is_asked = terms_.qtype == kCname || terms_.qtype == kAny;
            if (is_asked && out_.rcode == kNoError) out_.negative = out_.has_soa = false;
        }
        out_.body_len = 0;
        const std::size_t tables = out_.size();
        if (tables > block_.size()) return 0;
        const std::size_t base = kHeaderSize + terms_.alias.size() + 4;
        room_ = block_.subspan(tables);
        room_ = room_.first(std::min(room_.size(), kMaxMessage - base));
        ttl_at_ = reinterpret_cast<std::uint16_t*>(block_.data() + sizeof(Answer));
        address_at_ = reinterpret_cast<AddressRef*>(ttl_at_ + out_.ttl_count);
        BodyWriter writer(terms_.alias, room_);
        if (!write_records(writer)) return 0;
        finish(writer.size());
        return out_.size();
    }

  private:
    bool write_records(BodyWriter& writer) noexcept {
        if (terms_.with_cname && !write_cname(writer)) return false;
        std::size_t at = 0;
        for (unsigned r = 0; r < from_.ttl_count; ++r) {
            at = write_record(writer, r, at);
            if (at == 0) return false;
        }
        return addresses_ == out_.address_count;
    }

    bool write_cname(BodyWriter& writer) noexcept {
        Name alias, asked;
        set(alias, terms_.alias);
        set(asked, terms_.asked);
        std::array<std::uint8_t, kFixed> fixed{};
        store_be16(fixed.data(), kCname);
        store_be16(&fixed[2], kIn);
        store_be32(&fixed[4], terms_.cname_ttl_s);
        if (!writer.name(alias, true)) return false;
        *ttl_at_++ = static_cast<std::uint16_t>(writer.size() + 4);
        if (!writer.bytes(fixed)) return false;
        const std::size_t rdata = writer.size();
        if (!writer.name(asked, true)) return false;
        store_be16(&room_[rdata - 2], static_cast<std::uint16_t>(writer.size() - rdata));
        return true;
    }

    // Returns where the next one begins in the old body; 0: no room, or the record does not fit there.
    std::size_t write_record(BodyWriter& writer, unsigned record, std::size_t at) noexcept {
        const std::size_t fixed = from_.ttl_offsets()[record] - std::size_t{4};
        const std::size_t rdata = fixed + kFixed;
        Name owner;
        if (rdata > body_.size() || names_.read(at, owner) != fixed) return 0;
        const std::size_t end = rdata + load_be16(&body_[rdata - 2]);
        if (end > body_.size() || !writer.name(owner, true)) return 0;
        *ttl_at_++ = static_cast<std::uint16_t>(writer.size() + 4);
        std::array<std::uint8_t, kFixed> head;
        std::memcpy(head.data(), &body_[fixed], kFixed);
        store_be32(&head[4], lowered(load_be32(&head[4])));
        if (!writer.bytes(head)) return 0;
        const std::uint16_t type = load_be16(head.data());
        const std::size_t written = writer.size();
        const bool is_address =
            load_be16(&head[2]) == kIn && (type == kA || type == kAaaa) && record < from_.ancount;
        if (is_address) {
            if (addresses_ == out_.address_count) return 0;
            address_at_[addresses_++] = {static_cast<std::uint16_t>(written), type == kAaaa};
        }
        if (!write_rdata(writer, type, rdata, end)) return 0;
        store_be16(&room_[written - 2], static_cast<std::uint16_t>(writer.size() - written));
        return end;
    }

    bool write_rdata(BodyWriter& writer, std::uint16_t type, std::size_t at,
                     std::size_t end) noexcept {
        const RdataLayout layout = rdata_layout(type);
        if (layout.rule == NameRule::none || layout.rule == NameRule::whole)
            return writer.bytes(body_.subspan(at, end - at));
        std::size_t first = at + layout.fixed;
        for (unsigned s = 0; s < layout.strings && first < end; ++s)
            first += body_[first] + 1U;
        if (first > end || !writer.bytes(body_.subspan(at, first - at))) return false;
        for (unsigned n = 0; n < layout.names; ++n) {
            Name name;
            first = names_.read(first, name);
            if (first == 0 || first > end || !writer.name(name, layout.rule == NameRule::compress))
                return false;
        }
        return writer.bytes(body_.subspan(first, end - first));
    }

    void finish(std::size_t length) noexcept {
        out_.body_len = static_cast<std::uint16_t>(length);
        out_.min_ttl_s = lowered(from_.min_ttl_s);
        if (terms_.with_cname) {
            out_.min_ttl_s = from_.ttl_count == 0 ? terms_.cname_ttl_s
                                                  : std::min(out_.min_ttl_s, terms_.cname_ttl_s);
        }
        if (out_.address_count > 0 || out_.has_hints)
            out_.address_ttl_s = lowered(from_.address_ttl_s);
        out_.body_sum = checksum_fold(checksum_add(0, room_.data(), length));
        std::memcpy(block_.data(), &out_, sizeof out_);
    }

    [[nodiscard]] std::uint32_t lowered(std::uint32_t ttl_s) const noexcept {
        return ttl_s > terms_.age_s ? ttl_s - terms_.age_s : 0;
    }
    static void set(Name& to, std::span<const std::uint8_t> wire) noexcept {
        std::memcpy(to.wire.data(), wire.data(), wire.size());
        to.length = static_cast<std::uint8_t>(wire.size());
    }

    const Answer& from_;
    const AliasTerms& terms_;
    std::span<std::uint8_t> block_, room_;
    std::span<const std::uint8_t> body_;
    BodyNames names_;
    Answer out_{};
    std::uint16_t* ttl_at_ = nullptr;
    AddressRef* address_at_ = nullptr;
    unsigned addresses_ = 0;
};

}  // namespace

std::size_t write_alias_answer(const Answer& answer, const AliasTerms& terms,
                               std::span<std::uint8_t> block) noexcept {
    return AliasWriter(answer, terms, block).write();
}

}  // namespace steer::dns
