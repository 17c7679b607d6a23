// The walk of a stub resolver through a response, as in glibc's getanswer_r: one pass over the answer section, from the
// question's name on. Written without code of the product, so that it can judge it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace steer::test {

struct StubWalk {
    std::uint16_t qtype = 0;
    unsigned aliases = 0, links = 0;  // CNAMEs of the answer section; those that it followed
    unsigned records = 0, found = 0;  // records of the asked type; those that it found

    // It followed every CNAME, and found every record.
    [[nodiscard]] bool is_whole() const {
        constexpr unsigned kMostLinks = 16;
        return links == aliases && found == records && links <= kMostLinks;
    }
};

class StubWalker {
  public:
    explicit StubWalker(std::span<const std::uint8_t> response) : message_(response) {}

    // No value: no response with one question and whole records. Of questions for CNAME (5), DNAME (39), RRSIG (46) and all
    // types nothing is counted.
    std::optional<StubWalk> walk() {
        if (message_.size() < 12 || u16(4) != 1) return std::nullopt;
        std::string present;
        if (!name(12, present)) return std::nullopt;
        StubWalk out{.qtype = static_cast<std::uint16_t>(u16(at_))};
        const unsigned klass_bytes = 4;
        at_ += klass_bytes;
        const bool is_counted = out.qtype != 5 && out.qtype != 39 && out.qtype != 46 &&
                                (out.qtype < 251 || out.qtype > 255);
        if (!is_counted) return out;
        for (unsigned left = u16(6); left > 0; --left) {
            std::string owner;
            if (!name(at_, owner) || at_ + 10 > message_.size()) return std::nullopt;
            const unsigned type = u16(at_), rdata = static_cast<unsigned>(at_) + 10;
            const std::size_t end = rdata + u16(at_ + 8);
            if (end > message_.size()) return std::nullopt;
            if (type == 5) {
                ++out.aliases;
                if (owner == present) {
                    ++out.links;
                    if (!name(rdata, present)) return std::nullopt;
                }
            } else if (type == out.qtype) {
                ++out.records;
                if (owner == present) ++out.found;
            }
            at_ = end;
        }
        return out;
    }

  private:
    [[nodiscard]] unsigned u16(std::size_t at) const {
        return at + 2 > message_.size() ? 0U : message_[at] * 256U + message_[at + 1];
    }
    // In lower case, a byte for each length and letter. Sets at_ behind it.
    bool name(std::size_t at, std::string& out) {
        out.clear();
        std::size_t end = 0;
        for (unsigned steps = 0; steps < 400 && at < message_.size(); ++steps) {
            const unsigned length = message_[at];
            if (length >= 0xc0) {
                if (at + 1 >= message_.size()) return false;
                if (end == 0) end = at + 2;
                at = (length & 0x3fU) * 256 + message_[at + 1];
                continue;
            }
            if (at + length >= message_.size()) return false;
            out.push_back(static_cast<char>(length));
            for (unsigned i = 1; i <= length; ++i) {
                const std::uint8_t c = message_[at + i];
                out.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
            }
            at += length + 1;
            if (length != 0) continue;
            at_ = end == 0 ? at : end;
            return true;
        }
        return false;
    }

    std::span<const std::uint8_t> message_;
    std::size_t at_ = 0;
};

inline std::optional<StubWalk> walk_as_stub(std::span<const std::uint8_t> response) {
    return StubWalker(response).walk();
}

}  // namespace steer::test
