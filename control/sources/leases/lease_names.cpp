#include "control/sources/leases/lease_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "control/config/text/dns_names.h"
#include "control/config/values.h"
#include "control/program/build/known_answers.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/text.h"

namespace steer::leases {
namespace {

constexpr std::uint32_t kMaxNegativeTtl = 60;
constexpr std::size_t kLongestLabel = 63, kLongestName = 253;

char plain(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c + ('a' - 'A'));
    return c == ' ' || c == '_' ? '-' : c;
}

bool is_label_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// A lease with a possible name, and its priority for that name: lower is better.
struct Candidate {
    const routeros::DhcpLease* lease;
    const std::string* router;
    std::size_t place;  // of the router
    IpAddress address;
    std::string host_name;
    std::string lists;  // with commas

    [[nodiscard]] auto rank() const {
        return std::tuple(!lease->is_static, place, lease->v6, lease->id);
    }
    // The client's identity. Without a link-layer address each lease is a client of its own.
    [[nodiscard]] std::string client() const {
        return lease->mac.empty() ? *router + " " + lease->address : lease->mac;
    }
};

class Naming {
  public:
    explicit Naming(const config::DhcpLeases& args) : args_(args) {}

    void take(const RouterLeases& of, std::size_t place) {
        for (const routeros::DhcpLease& lease : of.leases) {
            const bool counts =
                args_.servers.empty() ||
                std::ranges::find(args_.servers, lease.server) != args_.servers.end();
            if (!counts) continue;
            const auto address = IpAddress::parse(lease.address);
            if (!address || address->is_v4() == lease.v6) {
                refuse({&lease, &of.router, place, {}, lease.host_name, {}}, "has no address");
                continue;
            }
            candidates_.push_back(
                {&lease, &of.router, place, *address, lease.host_name, lease.lists});
        }
    }

    LeaseBook finish() {
        name_bindings();
        std::ranges::sort(candidates_, {}, [](const Candidate& c) { return c.rank(); });
        for (const Candidate& candidate : candidates_) {
            if (!candidate.host_name.empty()) name(candidate);
        }
        name_devices();
        std::ranges::sort(book_.named, {}, [](const NamedLease& n) {
            return std::tuple(n.name, !n.address.is_v4(), n.address.bytes);
        });
        return std::move(book_);
    }

  private:
    // DHCPv6 has no host name: a binding uses that of the IPv4 lease with the same link-layer address. So it does with address
    // lists, if it has none of its own.
    void name_bindings() {
        fill_from_leases(&Candidate::host_name);
        fill_from_leases(&Candidate::lists);
    }
    void fill_from_leases(std::string Candidate::*text) {
        std::map<std::string_view, const Candidate*> by_mac;
        for (const Candidate& c : candidates_) {
            if (c.lease->v6 || c.lease->mac.empty() || (c.*text).empty()) continue;
            const auto [at, fresh] = by_mac.try_emplace(c.lease->mac, &c);
            if (!fresh && c.rank() < at->second->rank()) at->second = &c;
        }
        for (Candidate& c : candidates_) {
            if (!c.lease->v6 || !(c.*text).empty()) continue;
            if (const auto at = by_mac.find(c.lease->mac); at != by_mac.end())
                c.*text = at->second->*text;
        }
    }
    static std::vector<std::string> words_of(std::string_view text) {
        std::vector<std::string> out;
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(','), text.size());
            std::string word = config::lowered(matchers::trimmed(text.substr(0, end)));
            if (!word.empty()) out.push_back(std::move(word));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return out;
    }

    void name(const Candidate& c) {
        const auto label = label_of(c.host_name, args_.domain);
        if (!label) return refuse(c, label.error().text);
        const auto [owner, is_first] = owners_.try_emplace(*label, &c);
        if (!is_first && owner->second->client() != c.client())
            return refuse(c, "is already the name of " + owner->second->lease->address);
        if (!addresses_.insert(c.address.bytes).second)
            return refuse(c, "has the address of another lease");
        names_.emplace(c.lease, *label);
        book_.named.push_back({*label + "." + args_.domain, c.address, *c.router, c.lease->server,
                               c.lease->is_static, c.lease->is_outside});
    }

    void name_devices() {
        for (const Candidate& c : candidates_) {
            LeaseDevice device{c.address,
                               parse_mac(c.lease->mac).value_or(0),
                               {},
                               {},
                               config::lowered(c.lease->server),
                               config::lowered(matchers::trimmed(c.lease->comment)),
                               words_of(c.lists)};
            if (const auto at = names_.find(c.lease); at != names_.end()) {
                device.label = at->second;
                device.name = device.label + "." + args_.domain;
            }
            book_.devices.push_back(std::move(device));
        }
    }

    void refuse(const Candidate& c, std::string why) {
        book_.nameless.push_back({c.lease->address, c.host_name, *c.router, std::move(why)});
    }

    const config::DhcpLeases& args_;
    std::vector<Candidate> candidates_;
    std::map<std::string, const Candidate*, std::less<>> owners_;  // by label
    std::set<decltype(IpAddress::bytes)> addresses_;
    std::map<const routeros::DhcpLease*, std::string> names_;  // their labels
    LeaseBook book_;
};

// The table under construction.
class Table {
  public:
    explicit Table(const config::DhcpLeases& args) : args_(args), known_(table_->answers) {
        table_->nothing = known_.authoritative(
            known_.negative(dns::kNoError, std::min(args.ttl_s, kMaxNegativeTtl)));
    }

    void add_host(const std::string& name, const std::vector<IpAddress>& addresses) {
        std::vector<AnswerTable::Typed> typed;
        for (const bool v6 : {false, true}) {
            const AnswerRef answer =
                known_.authoritative(known_.of_addresses(v6, addresses, args_.ttl_s));
            if (answer != kNoAnswer) typed.push_back({v6 ? dns::kAaaa : dns::kA, dns::kIn, answer});
        }
        add(name, typed);
    }

    void add_pointer(const IpAddress& address, const std::string& name) {
        const auto wire = dns::name_from_text(name);
        if (!wire) return;
        const std::span<const std::uint8_t> bytes(
            address.is_v4() ? address.v4() : address.bytes.data(),
            address.is_v4() ? std::size_t{4} : address.bytes.size());
        add(address.is_v4() ? config::pointer_name_v4(bytes) : config::pointer_name_v6(bytes),
            {{dns::kPtr, dns::kIn,
              known_.authoritative(known_.of_records(
                  dns::kPtr, dns::kIn, {{dns::kPtr, dns::kIn, args_.ttl_s, *wire}}))}});
    }

    std::unique_ptr<const LiveTable> finish(const std::vector<LeaseDevice>& devices) {
        table_->devices = LeaseDevices(devices);
        std::vector<Error> none;  // for patterns; there are none
        table_->names.names = names_.build(none);
        return std::move(table_);
    }

  private:
    void add(const std::string& name, const std::vector<AnswerTable::Typed>& typed) {
        AnswerTable& to = table_->names;
        names_.add({matchers::RuleKind::full, name}, static_cast<std::uint32_t>(to.values.size()));
        to.values.push_back({static_cast<std::uint32_t>(to.typed.size()),
                             static_cast<std::uint32_t>(typed.size())});
        to.typed.insert(to.typed.end(), typed.begin(), typed.end());
    }

    const config::DhcpLeases& args_;
    std::unique_ptr<LiveTable> table_ = std::make_unique<LiveTable>();
    build::KnownAnswers known_;
    matchers::NameValuesBuilder names_;
};

}  // namespace

Result<std::string> label_of(std::string_view host_name, std::string_view domain) {
    constexpr std::array<std::string_view, 3> kTrusted{"wpad", "isatap", "localhost"};
    std::string label(host_name);
    std::ranges::transform(label, label.begin(), plain);
    if (label.ends_with('.')) label.pop_back();
    const std::string behind = "." + std::string(domain);
    if (label.ends_with(behind)) label.resize(label.size() - behind.size());
    if (label.find('.') != label.npos) return Error{"is not a name in " + std::string(domain)};
    if (label.empty() || label.size() > kLongestLabel ||
        label.size() + behind.size() > kLongestName)
        return Error{"is not a label of 1 to 63 bytes"};
    if (!std::ranges::all_of(label, is_label_byte) || label.starts_with('-') ||
        label.ends_with('-'))
        return Error{"has characters other than letters, digits and inner hyphens"};
    if (std::ranges::find(kTrusted, label) != kTrusted.end())
        return Error{"is a name that hosts trust without a check"};
    return {boost::system::in_place_value, std::move(label)};
}

LeaseBook name_leases(std::span<const RouterLeases* const> all, const config::DhcpLeases& args) {
    Naming naming(args);
    for (std::size_t place = 0; place < all.size(); ++place)
        naming.take(*all[place], place);
    return naming.finish();
}

std::unique_ptr<const LiveTable> table_of(const LeaseBook& book, const config::DhcpLeases& args) {
    Table table(args);
    for (auto at = book.named.begin(); at != book.named.end();) {
        std::vector<IpAddress> addresses;
        const std::string& name = at->name;
        for (; at != book.named.end() && at->name == name; ++at) {
            addresses.push_back(at->address);
            if (args.ptr && !at->is_outside) table.add_pointer(at->address, name);
        }
        table.add_host(name, addresses);
    }
    return table.finish(book.devices);
}

}  // namespace steer::leases
