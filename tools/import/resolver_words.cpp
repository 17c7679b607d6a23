#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "tools/import/resolver_model.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

struct NetworkBytes {
    std::array<std::uint8_t, 16> bytes{};
    unsigned length = 0;
    bool is_six = false;
};

std::optional<NetworkBytes> bytes_of(std::string_view text) {
    NetworkBytes out;
    const auto slash = text.find('/');
    const std::string address(text.substr(0, slash));
    out.is_six = address.find(':') != std::string::npos;
    const unsigned most = out.is_six ? 128 : 32;
    if (inet_pton(out.is_six ? AF_INET6 : AF_INET, address.c_str(), out.bytes.data()) != 1)
        return std::nullopt;
    const auto length = slash == std::string_view::npos
                            ? std::optional<std::uint64_t>(most)
                            : parse_number(text.substr(slash + 1), most);
    if (!length) return std::nullopt;
    out.length = static_cast<unsigned>(*length);
    for (unsigned bit = out.length; bit < most; ++bit)
        out.bytes[bit / 8] = static_cast<std::uint8_t>(out.bytes[bit / 8] & ~(0x80U >> bit % 8));
    return out;
}

// Answered by the daemon, unless `resolve_special` of `policy` names them; reverse zones of private
// addresses are not among them, because recursion's upstreams are private.
constexpr std::array<std::string_view, 12> kSpecialNames{"local",
                                                         "localhost",
                                                         "test",
                                                         "invalid",
                                                         "onion",
                                                         "alt",
                                                         "127.in-addr.arpa",
                                                         "0.in-addr.arpa",
                                                         "2.0.192.in-addr.arpa",
                                                         "100.51.198.in-addr.arpa",
                                                         "113.0.203.in-addr.arpa",
                                                         "8.b.d.0.1.0.0.2.ip6.arpa"};

}  // namespace

std::optional<std::string> network_of(std::string_view text) {
    const auto read = bytes_of(text);
    if (!read) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> out{};
    inet_ntop(read->is_six ? AF_INET6 : AF_INET, read->bytes.data(), out.data(), out.size());
    return std::string(out.data()) + "/" + std::to_string(read->length);
}

bool is_within(std::string_view inner, std::string_view outer) {
    const auto in = bytes_of(inner), out = bytes_of(outer);
    if (!in || !out || in->is_six != out->is_six || in->length < out->length) return false;
    for (unsigned bit = 0; bit < out->length; ++bit) {
        const unsigned mask = 0x80U >> bit % 8;
        if ((in->bytes[bit / 8] & mask) != (out->bytes[bit / 8] & mask)) return false;
    }
    return true;
}

std::optional<ServerText> read_server_text(std::string_view text) {
    ServerText out;
    if (const auto hash = text.find('#'); hash != std::string_view::npos) {
        out.name = text.substr(hash + 1);
        text = text.substr(0, hash);
        while (out.name.ends_with('.'))
            out.name.pop_back();
    }
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        const auto port = parse_number(text.substr(at + 1), 65'535);
        if (port.value_or(0) == 0) return std::nullopt;
        out.port = *port;
        text = text.substr(0, at);
    }
    out.address = text;
    if (!can_be_asked(text)) return std::nullopt;
    if (!out.name.empty() && !is_host_name(out.name)) return std::nullopt;
    return out;
}

Upstream tls_upstream(const ServerText& server, const std::string& place) {
    constexpr std::uint64_t kTlsPort = 853;
    const std::uint64_t port = server.port == 0 ? kTlsPort : server.port;
    Upstream out;
    out.addr = "tls://";
    if (server.name.empty()) {
        out.addr += with_port(server.address, port);
        out.unverified = true;
        out.notes.push_back({place, "the certificate of " + server.address +
                                        " is not checked, because the server has no name: write "
                                        "one as 'tls://NAME'"});
    } else {
        out.addr += server.name + (port == kTlsPort ? "" : ":" + std::to_string(port));
        out.dial_addr = server.address;
    }
    return out;
}

std::string special_name(std::string_view zone) {
    for (const std::string_view name : kSpecialNames) {
        if (zone == name || zone.ends_with("." + std::string(name))) return std::string(name);
    }
    return {};
}

std::optional<std::string> zone_name(std::string_view text) {
    if (text == ".") return ".";
    if (!name_error(text).empty()) return std::nullopt;
    return plain_name(text);
}

}  // namespace steer::importing
