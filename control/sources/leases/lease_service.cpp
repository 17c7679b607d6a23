#include "control/sources/leases/lease_service.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "matchers/quote.h"

namespace steer::leases {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr ops::Piece kLeases = ops::Piece::pages(2'000);
// More leases are named beside the main thread: about 5 us each.
constexpr std::size_t kNamedAtOnce = 4'000;
constexpr std::uint64_t kLogEveryMs = 60'000;  // of leases without names

}  // namespace

LeaseService::LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                           std::string file, Log log)
    : RouterFollower(main_io, clock, qsbr, std::move(log)),
      kept_(
          main_io, std::move(file), [this] { return text_to_keep(); }, save_leases, log_),
      aside_(main_io, "leases") {
    if (kept_.file().empty()) return;
    auto kept = load_leases(kept_.file());
    if (!kept) {
        log_(routeros::Level::warning, kept.error().sentence());
        return;
    }
    for (auto& [router, leases] : *kept)
        known_[router] = {router, std::move(leases)};
}

LeaseService::~LeaseService() {
    aside_.stop();
    routers_.clear();
    if (kept_.is_pending()) kept_.keep();
}

void LeaseService::take(const std::string& router, std::vector<routeros::DhcpLease> leases) {
    RouterLeases fresh{router, std::move(leases)};
    RouterLeases& known = known_[router];
    if (known == fresh) return;
    known = std::move(fresh);
    publish_all_of(router);
    kept_.keep_soon();
}

void LeaseService::publish(Plugin& plugin) {
    // The naming that runs is followed by another one.
    plugin.state.is_stale = plugin.state.naming != 0;
    if (plugin.state.is_stale) return;
    std::vector<RouterLeases> all;
    std::size_t leases = 0;
    for (const std::string& router : plugin.plan.routers) {
        if (const RouterLeases* const known = find_known(router)) {
            all.push_back(*known);
            leases += known->leases.size();
        }
    }
    // Before workers serve, no client waits for the main thread, and names are there for the first
    // query.
    if (is_serving_ && leases > kNamedAtOnce) return name_aside(plugin, std::move(all));
    put(plugin, name_all(all, plugin.plan.args));
}

LeaseService::Named LeaseService::name_all(const std::vector<RouterLeases>& all,
                                           const config::DhcpLeases& args) {
    std::vector<const RouterLeases*> places;
    places.reserve(all.size());
    for (const RouterLeases& one : all)
        places.push_back(&one);
    Named named{name_leases(places, args), nullptr};
    named.table = table_of(named.book, args);
    return named;
}

void LeaseService::name_aside(Plugin& plugin, std::vector<RouterLeases> all) {
    const std::uint64_t number = plugin.state.naming = ++namings_;
    aside_.run([all = std::move(all), args = plugin.plan.args] { return name_all(all, args); },
               [this, number, tag = plugin.plan.tag](Named named) {
                   const auto at = plugins_.find(tag);
                   // A reload may have ended the plugin, and begun it again.
                   if (at == plugins_.end() || at->second->state.naming != number) return;
                   Plugin& now = *at->second;
                   now.state.naming = 0;
                   put(now, std::move(named));
                   if (std::exchange(now.state.is_stale, false)) publish(now);
               });
}

void LeaseService::put(Plugin& plugin, Named named) {
    plugin.state.book = std::move(named.book);
    plugin.published.put(std::move(named.table));
    log_nameless(plugin);
}

// Logs one new lease, at most once a minute: clients choose their names.
void LeaseService::log_nameless(Plugin& plugin) {
    std::set<std::string> now;
    const NamelessLease* news = nullptr;
    for (const NamelessLease& lease : plugin.state.book.nameless) {
        std::string key = lease.router + " " + lease.address + " " + lease.host_name;
        if (news == nullptr && !plugin.state.logged.contains(key)) news = &lease;
        now.insert(std::move(key));
    }
    const std::uint64_t now_ms = clock_.now().ms;
    if (news != nullptr && now_ms < plugin.state.log_again_ms) return;
    plugin.state.logged = std::move(now);
    if (news == nullptr) return;
    plugin.state.log_again_ms = now_ms + kLogEveryMs;
    const std::size_t others = plugin.state.book.nameless.size() - 1;
    log_(routeros::Level::warning,
         "dhcp_leases '" + plugin.plan.tag + "': the lease of " + news->address + " on router " +
             news->router + " has no name, because " + matchers::quoted(news->host_name) + " " +
             news->why +
             (others == 0 ? std::string() : " (and " + std::to_string(others) + " others)") +
             ": see 'steerctl leases'");
}

std::string LeaseService::text_to_keep() const {
    ByRouter all;
    for (const auto& [router, known] : known_)
        all[router] = known.leases;
    return state_text(all);
}

// ---- reports

namespace {

object shown(const std::string& tag, const NamedLease& lease) {
    return {{"tag", tag},
            {"name", lease.name},
            {"address", lease.address.to_string()},
            {"router", lease.router},
            {"server", lease.server},
            {"static", lease.is_static}};
}

object shown(const std::string& tag, const NamelessLease& lease) {
    return {{"tag", tag},
            {"address", lease.address},
            {"host_name", matchers::quoted(lease.host_name)},
            {"router", lease.router},
            {"why", lease.why}};
}

// A cursor: the list, the tag, and of a named lease its name and address, of another one its row
// and a hash.
constexpr std::size_t kParts = 4;
constexpr const char *kNamed = "named", *kNameless = "nameless";

auto key_of(const NamedLease& lease) {
    return std::tuple(std::string_view(lease.name), !lease.address.is_v4(), lease.address.bytes);
}

// The first lease behind the cursor's, of the same plugin. No value: not a cursor.
std::optional<std::size_t> named_behind(const std::vector<NamedLease>& all,
                                        const ops::Cursor& after) {
    const auto address = IpAddress::parse(after[3]);
    if (!address) return std::nullopt;
    const NamedLease key{after[2], *address, {}, {}};
    const auto at = std::ranges::upper_bound(all, key_of(key), {}, key_of);
    return static_cast<std::size_t>(at - all.begin());
}

std::uint64_t hash_of(const NamelessLease& lease) {
    return ops::hash_of(lease.address + " " + lease.router + " " + lease.host_name);
}

std::optional<std::size_t> nameless_behind(const std::vector<NamelessLease>& all,
                                           const ops::Cursor& after) {
    const auto row = after.number(2), hash = after.number(3);
    if (!row || !hash) return std::nullopt;
    return ops::row_behind(*row, *hash, all.size(), [&](std::size_t i) { return hash_of(all[i]); });
}

}  // namespace

// Appends the leases of a list from the cursor on. False: the page is full, and `page.next` says
// where it goes on; or the cursor is bad.
template <class Lease>
bool LeaseService::fill(LeasePage& page, array& rows, const std::string& tag,
                        const std::vector<Lease>& all, const char* kind) const {
    std::size_t i = 0;
    if (page.after) {
        const ops::Cursor& after = *page.after;
        if (after[0] != kind || after[1] != tag) return true;  // of a page before
        std::optional<std::size_t> behind;
        if constexpr (std::is_same_v<Lease, NamedLease>)
            behind = named_behind(all, after);
        else
            behind = nameless_behind(all, after);
        if (!behind) return false;
        i = *behind;
        page.after.reset();
    }
    for (; i < all.size() && !page.room.is_full(); ++i) {
        page.room.add(rows, shown(tag, all[i]));
        if constexpr (std::is_same_v<Lease, NamedLease>)
            page.last = ops::Cursor{kind, tag, all[i].name, all[i].address.to_string()};
        else
            page.last = ops::Cursor{kind, tag, std::to_string(i), std::to_string(hash_of(all[i]))};
    }
    page.has_more = i < all.size();
    return !page.has_more;
}

ops::RpcResult LeaseService::list_leases(const ops::Arguments& asked) const {
    const auto tag = asked.find_text("tag");
    LeasePage page{{}, ops::PageRoom(kLeases.most_rows()), {}, false};
    if (const auto text = asked.find_text(ops::kCursor)) {
        page.after = ops::Cursor::from(*text, kParts);
        if (!page.after) return ops::bad_cursor();
    }
    bool is_known = false;
    const auto fill_all = [&](array& rows, auto LeaseBook::*list, const char* kind) {
        for (const auto& [own_tag, plugin] : plugins_) {
            if (!plugin->is_wanted || (tag && *tag != own_tag)) continue;
            is_known = true;
            if (!fill(page, rows, own_tag, plugin->state.book.*list, kind)) return false;
        }
        return true;
    };
    array named, nameless, routers;
    const bool is_whole = fill_all(named, &LeaseBook::named, kNamed) &&
                          fill_all(nameless, &LeaseBook::nameless, kNameless);
    if (!is_known && tag)
        return ops::bad_params("there is no dhcp_leases '" + *tag + "': see 'steerctl leases'");
    if (page.after) return ops::lost_place();  // a lease or a plugin has left
    if (is_whole)
        routers = router_rows({}, [this](object& row, const Router& router) {
            const RouterLeases* const known = find_known(router.plan.name());
            row["leases"] = known != nullptr ? known->leases.size() : 0;
        });
    object out{{"leases", std::move(named)},
               {"nameless", std::move(nameless)},
               {"routers", std::move(routers)}};
    if (page.has_more) ops::end_page(out, page.last);
    return value(std::move(out));
}

void LeaseService::add_methods(ops::Methods& methods) {
    methods.add(
        {.name = "leases",
         .help = "Shows the names of hosts with a DHCP lease, and the routers that are read.",
         .changes = ops::Changes::nothing(),
         .piece = kLeases,
         .parameters = {{"tag", ops::ParamType::text, "the tag of a dhcp_leases; without it, all"}},
         .run = [this](const ops::Arguments& asked) { return list_leases(asked); },
         .members = "leases nameless routers more? cursor?",
         .result = "hosts with their names and addresses, and the routers"});
}

void LeaseService::write_metrics(ops::MetricWriter& writer) const {
    for (const auto& [tag, plugin] : plugins_) {
        if (!plugin->is_wanted) continue;
        writer.family("steerdns_leases_named");
        writer.sample({{"plugin", tag}}, std::uint64_t{plugin->state.book.named.size()});
        writer.family("steerdns_leases_nameless");
        writer.sample({{"plugin", tag}}, std::uint64_t{plugin->state.book.nameless.size()});
    }
    for (const auto& [name, router] : routers_) {
        writer.family("steerdns_leases_followed");
        writer.sample({{"router", name}}, std::uint64_t{router->in_sync() ? 1U : 0U});
    }
}

}  // namespace steer::leases
