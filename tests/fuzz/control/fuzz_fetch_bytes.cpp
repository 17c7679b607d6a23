// Input from list servers and the network: compressed content, a resolver's reply to our question, the target of a
// redirect, and files that name DNS servers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../require.h"
#include "control/config/text/url.h"
#include "control/host/resolver/server_text.h"
#include "control/host/resolver/stub_resolver.h"
#include "control/streams/fetch/inflater.h"

using namespace steer;
using Bytes = std::span<const std::uint8_t>;

namespace {

struct Inflated {
    std::vector<std::uint8_t> bytes;
    bool good = true, whole = false;
};

// Of a limit's worth: a little may stand for much.
Inflated inflate(Bytes packed, std::size_t piece) {
    constexpr std::size_t kMax = std::size_t{1} << 20;
    Inflated out;
    fetch::Inflater inflater([&out](Bytes part) -> Result<void> {
        REQUIRE(!part.empty());
        if (out.bytes.size() + part.size() > kMax) return Error{"too much"};
        out.bytes.insert(out.bytes.end(), part.begin(), part.end());
        return {};
    });
    while (!packed.empty() && out.good) {
        const auto part = packed.first(std::min(piece, packed.size()));
        out.good = inflater.feed(part).has_value();
        packed = packed.subspan(part.size());
    }
    out.whole = out.good && inflater.is_whole();
    return out;
}

// The same comes out however it comes in.
void check_inflater(Bytes bytes) {
    const auto at_once = inflate(bytes, bytes.size() + 1), in_pieces = inflate(bytes, 7);
    REQUIRE(at_once.good == in_pieces.good && at_once.whole == in_pieces.whole);
    if (at_once.good) REQUIRE(at_once.bytes == in_pieces.bytes);
}

void check_reply(Bytes bytes) {
    static constexpr std::uint8_t kName[]{4,   'l', 'i', 's', 't', 7,   'e',
                                          'x', 'a', 'm', 'p', 'l', 'e', 0};
    if (bytes.size() < 2) return;
    const auto id = static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
    for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{28}}) {
        const auto reply = resolver::read_reply(bytes, id, kName, type);
        REQUIRE(reply.what == resolver::ResolverReply::What::answer || reply.addresses.empty());
        REQUIRE(resolver::read_reply(bytes, static_cast<std::uint16_t>(id + 1), kName, type).what ==
                resolver::ResolverReply::What::nothing);
    }
}

// What a reference leads to is a URL, and leads to itself.
void check_url(std::string_view text) {
    static const config::Url kBase = *config::parse_url("https://lists.example:8443/a/b/c.txt?d#e");
    const auto to = config::resolve_reference(kBase, text);
    if (!to) {
        REQUIRE(!to.error().text.empty());
        return;
    }
    REQUIRE(!to->host.empty() && to->target.starts_with('/'));
    const auto again = config::parse_url(to->text());
    REQUIRE(again && again->text() == to->text() && again->tls == to->tls);
    const auto stays = config::resolve_reference(*to, to->text());
    REQUIRE(stays && stays->text() == to->text());
    const std::string name = config::file_name_of(*to);
    REQUIRE(!name.empty() && name.front() != '.' && name.size() < 200 &&
            name.find('/') == std::string::npos && name.find('\0') == std::string::npos);
}

void check_servers(std::string_view text) {
    for (const auto& server : resolver::read_servers(text)) {
        REQUIRE(server.interface.empty() || server.address.is_link_local());
        REQUIRE(IpAddress::parse(server.address.to_string()) == server.address);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_inflater({data, size});
    check_reply({data, size});
    check_url(text);
    check_servers(text);
    return 0;
}
