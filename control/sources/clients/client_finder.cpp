#include "control/sources/clients/client_finder.h"

#include <algorithm>
#include <optional>

#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

constexpr std::size_t kShown = 5;

using ops::ClientAs;

constexpr int kGiven = 0, kConfigured = 1, kChosenByDevice = 2;  // the first is trusted most

int rank_of(NameSource source) {
    if (source == NameSource::given) return kGiven;
    return is_chosen_by_device(source) ? kChosenByDevice : kConfigured;
}

// What stands for the client of this row; empty: nothing is known.
std::string text_of(const ClientRow& row, ClientAs as) {
    if (as == ClientAs::device && !row.mac.empty()) return row.mac;
    return row.address ? row.address->to_string() : std::string();
}

// "192.0.2.1, 192.0.2.2 and 3 others"
std::string listed(const std::vector<std::string>& all) {
    std::string out;
    for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i)
        out += (i == 0 ? "" : ", ") + all[i];
    return all.size() > kShown ? out + " and " + std::to_string(all.size() - kShown) + " others"
                               : out;
}

Result<std::string> only_one(std::string_view written, const std::vector<std::string>& found,
                             std::string_view subject) {
    if (found.size() == 1) return {boost::system::in_place_value, found.front()};
    if (found.empty())
        return Error{"no address of " + matchers::quoted(written) +
                     " is known now: write an address"};
    return Error{matchers::quoted(written) + " is the " + std::string(subject) + " of " +
                 listed(found) + ": write one of them"};
}

void add(std::vector<std::string>& found, std::string one) {
    if (!one.empty() && std::ranges::find(found, one) == found.end())
        found.push_back(std::move(one));
}

struct Named {
    std::optional<int> rank;           // no value: no client has it
    std::vector<std::string> clients;  // those of this rank
};

Named named_by(std::string_view name, ClientAs as, const std::vector<ClientRow>& rows) {
    Named out;
    const auto take = [&](const ClientRow& row, int rank) {
        if (out.rank && rank > *out.rank) return;
        if (!out.rank || rank < *out.rank) out.clients.clear();
        out.rank = rank;
        add(out.clients, text_of(row, as));
    };
    for (const ClientRow& row : rows) {
        if (row.source != NameSource::none && is_same_name(row.name, name))
            take(row, rank_of(row.source));
        if (!row.configured.empty() && is_same_name(row.configured, name)) take(row, kConfigured);
    }
    return out;
}

}  // namespace

bool is_same_name(std::string_view a, std::string_view b) {
    return matchers::lowered(a) == matchers::lowered(b);
}

Result<std::string> found_client(std::string_view written, ClientAs as,
                                 const std::function<std::vector<ClientRow>()>& rows) {
    const std::string_view text = matchers::trimmed(written);
    if (auto member = member_of(text)) {
        const bool is_mac = !matchers::Prefix::parse(*member);
        if (!is_mac || as == ClientAs::device) return member;
        std::vector<std::string> found;
        for (const ClientRow& row : rows()) {
            if (row.mac == *member) add(found, text_of(row, as));
        }
        return only_one(text, found, "MAC address");
    }
    const Named named = named_by(text, as, rows());
    if (!named.rank)
        return Error{matchers::quoted(text) +
                     " is not an address, a prefix, a MAC address or the name of a client; "
                     "'steerctl clients' shows those that are known"};
    return only_one(text, named.clients, "name");
}

Result<Audience> found_audience(std::string_view written, const GroupBook& groups,
                                const std::function<std::vector<ClientRow>()>& rows) {
    const std::string_view text = matchers::trimmed(written);
    const auto group = groups.named(text);
    if (!group || member_of(text)) {
        auto client = found_client(text, ClientAs::device, rows);
        if (!client) return client.error();
        return Audience{*std::move(client), {}};
    }
    const Named named = named_by(text, ClientAs::device, rows());
    if (named.rank && *named.rank < kChosenByDevice && !named.clients.empty())
        return Error{matchers::quoted(text) + " is a group and the name of " +
                     listed(named.clients) + ": write the address, or `group` (--group)"};
    return Audience{{}, *group};
}

}  // namespace steer::clients
