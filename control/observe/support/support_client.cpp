#include "control/observe/support/support_client.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "matchers/quote.h"

namespace steer::support {
namespace {

using matchers::Prefix;

bool contains(const Prefix& outer, const Prefix& inner) {
    return outer.length <= inner.length &&
           Prefix::masked(inner.address, outer.length).address == outer.address;
}

bool is_address(const Prefix& client) {
    return client.length == 128;
}

// IPv4 addresses are in ::ffff:0:0/96: a prefix around it or in it would be of many clients.
bool has_v4(const Prefix& client) {
    static constexpr std::array<std::uint8_t, 4> kZero{};
    return client.address.is_v4() || contains(client, {IpAddress::from_v4(kZero.data()), 96});
}

}  // namespace

Result<Prefix> client_from(std::string_view text) {
    const auto client = Prefix::parse(text);
    const bool is_one =
        client && (is_address(*client) || (client->length >= kShortestSite && !has_v4(*client)));
    if (is_one) return *client;
    return Error{"client is " + matchers::quoted(text) +
                 ": expected an address, or a subscriber's IPv6 prefix of /48 or longer; 'steerctl "
                 "clients' shows the addresses of names"};
}

std::string text_of(const Prefix& client) {
    return is_address(client) ? client.address.to_string() : client.to_string();
}

std::string obstacle(const config::QueryRecorder& recorder, const Prefix& client) {
    if (std::ranges::any_of(recorder.except_clients,
                            [&](const Prefix& except) { return contains(except, client); }))
        return "records no queries of this client (except_clients)";
    if (client.address.is_v4()) {
        if (recorder.mask4 >= 32) return {};
        return "keeps /" + std::to_string(recorder.mask4) +
               " of IPv4 addresses (mask4), so its history cannot show one client";
    }
    if (recorder.mask6 >= client.length) return {};
    const std::string kept =
        "keeps /" + std::to_string(recorder.mask6) + " of IPv6 addresses (mask6)";
    if (recorder.mask6 < kShortestSite) return kept + ", so its history cannot show one client";
    return kept + ": ask for " + Prefix::masked(client.address, recorder.mask6).to_string();
}

}  // namespace steer::support
