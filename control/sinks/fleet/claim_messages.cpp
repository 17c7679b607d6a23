#include "control/sinks/fleet/claim_messages.h"

#include <algorithm>

#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

constexpr std::size_t kMaxText = 255;
constexpr std::uint8_t kUrgent = 1;

class Writer {
  public:
    void number(std::uint64_t value, unsigned bytes) {
        for (unsigned i = bytes; i-- > 0;)
            out_.push_back(static_cast<char>(value >> (8 * i) & 0xff));
    }
    void text(std::string_view value) {
        const auto cut = whole_bytes(value, kMaxText);
        number(cut.size(), 1);
        out_ += cut;
    }
    void bytes(const std::array<std::uint8_t, 16>& value) {
        out_.append(value.begin(), value.end());
    }
    void append(const Writer& other) { out_ += other.out_; }
    [[nodiscard]] const std::string& out() const { return out_; }

  private:
    std::string out_;
};

class Reader {
  public:
    explicit Reader(std::string_view in) : in_(in) {}
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return in_.empty(); }
    std::uint64_t number(unsigned bytes) {
        std::uint64_t value = 0;
        for (const char c : take(bytes))
            value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }
    std::string text() { return std::string(take(number(1))); }
    std::array<std::uint8_t, 16> address() {
        std::array<std::uint8_t, 16> value{};
        std::ranges::copy(take(value.size()), value.begin());
        return value;
    }

  private:
    std::string_view take(std::size_t n) {
        good_ = good_ && n <= in_.size();
        if (!good_) return {};
        const auto taken = in_.substr(0, n);
        in_.remove_prefix(n);
        return taken;
    }
    std::string_view in_;
    bool good_ = true;
};

void put_row(Writer& to, const SharedClaim& claim) {
    to.number(claim.row_life_s, 4);
    to.bytes(claim.address);
    to.text(claim.list);
    to.text(claim.name);
}

void take_row(Reader& from, SharedClaim& claim) {
    claim.row_life_s = static_cast<std::uint32_t>(from.number(4));
    claim.address = from.address();
    claim.list = from.text();
    claim.name = from.text();
}

}  // namespace

std::vector<std::string> encode_messages(std::string_view box,
                                         const std::vector<SharedClaim>& claims) {
    std::vector<std::string> all;
    Writer message;
    const auto begin = [&] {
        message = Writer();
        message.number('S', 1);
        message.number('F', 1);
        message.number(kMessageVersion, 1);
        message.text(box);
    };
    begin();
    bool is_empty = true;
    for (const SharedClaim& claim : claims) {
        Writer record;
        record.number(claim.is_urgent ? kUrgent : 0, 1);
        record.number(claim.lease_end_ms, 8);
        put_row(record, claim);
        if (message.out().size() + record.out().size() > kMaxMessage) {
            all.push_back(message.out());
            begin();
        }
        message.append(record);
        is_empty = false;
    }
    if (!is_empty) all.push_back(message.out());
    return all;
}

std::optional<ClaimMessage> decode_message(std::string_view bytes) {
    if (bytes.size() > kMaxMessage) return std::nullopt;
    Reader in(bytes);
    if (in.number(1) != 'S' || in.number(1) != 'F' || in.number(1) != kMessageVersion)
        return std::nullopt;
    ClaimMessage message;
    message.box = in.text();
    while (in.good() && !in.at_end()) {
        SharedClaim claim;
        claim.is_urgent = (in.number(1) & kUrgent) != 0;
        claim.lease_end_ms = in.number(8);
        take_row(in, claim);
        message.claims.push_back(std::move(claim));
    }
    if (!in.good()) return std::nullopt;
    return message;
}

std::string encode_member(const SharedClaim& claim) {
    Writer to;
    to.number(kMessageVersion, 1);
    put_row(to, claim);
    return to.out();
}

std::optional<SharedClaim> decode_member(std::string_view bytes) {
    Reader in(bytes);
    if (in.number(1) != kMessageVersion) return std::nullopt;
    SharedClaim claim;
    take_row(in, claim);
    if (!in.good() || !in.at_end()) return std::nullopt;
    return claim;
}

}  // namespace steer::fleet
