// Frames as a capture's filter reads them. Whatever comes: nothing beyond the frame is read, and a slow reader of the
// test's own finds the same.
//
// The first four bytes make the filter: which conditions, the port (two bytes), and which name.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "../require.h"
#include "dataplane/dns/query.h"
#include "dataplane/stages/capture.h"
#include "support/guarded_page.h"

namespace {

using namespace steer;
using Bytes = std::vector<std::uint8_t>;
using Labels = std::vector<std::string>;

// Takes numbers and bytes from the front. What is not there makes it broken, and all further numbers 0.
class Cursor {
  public:
    explicit Cursor(Bytes all) : all_(std::move(all)) {}
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t n = 0;
        for (const std::uint8_t b : take(bytes))
            n = n << 8U | b;
        return n;
    }
    Bytes take(std::size_t n) {
        if (n > all_.size() - at_) is_broken_ = true;
        if (is_broken_) return {};
        at_ += n;
        return {all_.begin() + static_cast<std::ptrdiff_t>(at_ - n),
                all_.begin() + static_cast<std::ptrdiff_t>(at_)};
    }
    Bytes rest() { return take(all_.size() - at_); }
    // What is there of the next `n` bytes.
    Bytes up_to(std::size_t n) { return take(std::min(n, all_.size() - at_)); }
    [[nodiscard]] bool is_broken() const { return is_broken_; }

  private:
    Bytes all_;
    std::size_t at_ = 0;
    bool is_broken_ = false;
};

struct Facts {
    IpAddress from, to;
    std::optional<std::array<std::uint64_t, 2>> ports;
    Bytes dns;
    std::optional<Labels> name;  // in lower case
};

std::optional<Labels> question_of(const Bytes& message) {
    Cursor in(message);
    in.take(4);
    const std::uint64_t questions = in.number(2);
    in.take(6);
    Labels labels;
    std::size_t length = 0;
    for (;;) {
        const auto n = static_cast<std::size_t>(in.number(1));
        length += n + 1;
        if (in.is_broken() || questions == 0 || n > 63 || length > 255) return std::nullopt;
        if (n == 0) return labels;
        std::string label;
        for (const std::uint8_t b : in.take(n))
            label += static_cast<char>(b >= 'A' && b <= 'Z' ? b + 32 : b);
        if (in.is_broken()) return std::nullopt;
        labels.push_back(label);
    }
}

void read_transport(std::uint64_t protocol, const Bytes& datagram, Facts& facts) {
    Cursor in(datagram);
    const std::array<std::uint64_t, 2> ports{in.number(2), in.number(2)};
    const std::uint64_t length = in.number(2);
    in.take(2);
    if (in.is_broken() || (protocol != 6 && protocol != 17)) return;
    facts.ports = ports;
    if (protocol == 6 || length < 8) return;
    facts.dns = in.up_to(static_cast<std::size_t>(length) - 8);
    facts.name = question_of(facts.dns);
}

std::optional<Facts> read_v4(Cursor& in) {
    const std::uint64_t version = in.number(1);
    in.take(1);
    const auto total = static_cast<std::size_t>(in.number(2));
    in.take(2);
    const std::uint64_t fragment = in.number(2) % 0x2000;
    in.take(1);
    const std::uint64_t protocol = in.number(1);
    in.take(2);
    Facts facts;
    const Bytes from = in.take(4), to = in.take(4);
    if (in.is_broken()) return std::nullopt;
    facts.from = IpAddress::from_v4(from.data());
    facts.to = IpAddress::from_v4(to.data());
    const auto header = static_cast<std::size_t>(version % 16 * 4);
    if (header < 20 || total < header) return facts;
    in.take(header - 20);
    if (!in.is_broken() && fragment == 0) read_transport(protocol, in.up_to(total - header), facts);
    return facts;
}

std::optional<Facts> read_v6(Cursor& all) {
    all.take(4);
    const auto length = static_cast<std::size_t>(all.number(2));
    std::uint64_t next = all.number(1);
    all.take(1);
    const Bytes from = all.take(16), to = all.take(16);
    if (all.is_broken()) return std::nullopt;
    Facts facts;
    facts.from = IpAddress::from_v6(from.data());
    facts.to = IpAddress::from_v6(to.data());
    Cursor in(all.up_to(length));
    const auto is_extension = [&] {
        return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
    };
    for (unsigned i = 0; i < 8 && is_extension(); ++i) {
        const bool is_fragment = next == 44, is_authentication = next == 51;
        next = in.number(1);
        const auto units = static_cast<std::size_t>(in.number(1));
        if (is_fragment) {
            if (in.number(2) / 8 != 0) return facts;
            in.take(4);
        } else if (is_authentication) {
            in.take(6 + 4 * units);
        } else {
            in.take(6 + 8 * units);
        }
        if (in.is_broken()) return facts;
    }
    read_transport(next, in.rest(), facts);
    return facts;
}

std::optional<Facts> read_slowly(const Bytes& frame) {
    Cursor in(frame);
    in.take(12);
    std::uint64_t type = in.number(2);
    for (unsigned tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); ++tags) {
        in.take(2);
        type = in.number(2);
    }
    if (in.is_broken()) return std::nullopt;
    if (type == 0x0800) return read_v4(in);
    if (type == 0x86dd) return read_v6(in);
    return std::nullopt;
}

Bytes wire_of(const Labels& labels) {
    Bytes wire;
    for (const std::string& label : labels) {
        wire.push_back(static_cast<std::uint8_t>(label.size()));
        wire.insert(wire.end(), label.begin(), label.end());
    }
    wire.push_back(0);
    return wire;
}

bool is_below(const Labels& name, const Labels& above) {
    return name.size() >= above.size() && std::equal(above.rbegin(), above.rend(), name.rbegin());
}

struct Wanted {
    bool by_host, by_port, by_name;
    matchers::Prefix host;
    std::uint16_t port;
    Labels name;
};

// Mostly a name that the frame has, or one above it; also one below it and another one.
Labels wanted_name(std::uint8_t which, const std::optional<Facts>& facts) {
    Labels labels = facts && facts->name ? *facts->name : Labels{"www", "example", "com"};
    if (which == 0xff) return {"invalid"};
    if (which == 0xfe) labels.insert(labels.begin(), "below");
    for (unsigned i = 0; i < which && which < 0x80 && labels.size() > 1; ++i)
        labels.erase(labels.begin());
    if (labels.empty()) labels = {"com"};
    return wire_of(labels).size() > 255 ? Labels{"invalid"} : labels;
}

CaptureFilter filter_of(const Wanted& wanted) {
    CaptureFilter filter;
    filter.most_bytes = 2048;
    if (wanted.by_host) filter.hosts = matchers::PrefixSet({wanted.host});
    if (wanted.by_port) filter.transport_port = wanted.port;
    if (wanted.by_name) {
        const Bytes wire = wire_of(wanted.name);
        std::ranges::copy(wire, filter.name.begin());
        filter.name_len = static_cast<std::uint8_t>(wire.size());
    }
    return filter;
}

bool is_wanted(const Wanted& wanted, const Facts& facts) {
    // The reference compares bits, one at a time.
    const auto is_in = [&](const IpAddress& address) {
        for (unsigned bit = 0; bit < wanted.host.length; ++bit) {
            const unsigned shift = 7 - bit % 8;
            if ((address.bytes[bit / 8] >> shift & 1) !=
                (wanted.host.address.bytes[bit / 8] >> shift & 1))
                return false;
        }
        return true;
    };
    if (wanted.by_host && !is_in(facts.from) && !is_in(facts.to)) return false;
    if (wanted.by_port &&
        (!facts.ports || ((*facts.ports)[0] != wanted.port && (*facts.ports)[1] != wanted.port)))
        return false;
    return !wanted.by_name || (facts.name && is_below(*facts.name, wanted.name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kOfFilter = 4;
    static const std::array kHosts{
        *matchers::Prefix::parse("192.0.2.0/24"), *matchers::Prefix::parse("192.0.2.7"),
        *matchers::Prefix::parse("2001:db8::/32"), *matchers::Prefix::parse("2001:db8::7")};
    static const test::GuardedPage page;
    if (size < kOfFilter || size - kOfFilter > page.bytes().size()) return 0;
    const Bytes copy(data + kOfFilter, data + size);
    const auto room = page.bytes().last(copy.size());  // the next byte is not there
    std::ranges::copy(copy, room.begin());
    const std::span<const std::uint8_t> frame = room;

    const auto facts = read_slowly(copy);
    const Wanted wanted{
        .by_host = (data[0] & 1) != 0,
        .by_port = (data[0] & 2) != 0,
        .by_name = (data[0] & 4) != 0,
        .host = kHosts[data[0] >> 3U & 3U],
        .port = static_cast<std::uint16_t>(std::max(1, data[1] << 8 | data[2])),
        .name = wanted_name(data[3], facts),
    };
    const CaptureFilter filter = filter_of(wanted);
    const bool is_any = !wanted.by_host && !wanted.by_port && !wanted.by_name;
    const bool is_selected = filter.selects(frame);
    REQUIRE(is_selected == (is_any || (facts && is_wanted(wanted, *facts))));
    if (!facts) return 0;

    // What the product reads as a query has the name that a filter of this name finds.
    dns::Query query;
    if (dns::parse_query(facts->dns, query) == dns::QueryError::none && query.qname_len > 1) {
        CaptureFilter by_name;
        std::ranges::copy(query.name(), by_name.name.begin());
        by_name.name_len = query.qname_len;
        REQUIRE(by_name.selects(frame));
        REQUIRE(by_name.selects(facts->from, facts->to, 0, 0, facts->dns));
    }
    return 0;
}
