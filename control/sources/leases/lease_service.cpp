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

constexpr std::uint64_t kLogEveryMs = 60'000;  // of leases without names

}  // namespace

LeaseService::LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                           std::string file, Log log)
    : RouterFollower(main_io, clock, qsbr, std::move(log)),
      kept_(
          main_io, std::move(file), [this] { return text_to_keep(); }, save_leases, log_) {
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
    std::vector<const RouterLeases*> all;
    for (const std::string& router : plugin.plan.routers) {
        if (const RouterLeases* const known = find_known(router)) all.push_back(known);
    }
    plugin.state.book = name_leases(all, plugin.plan.args);
    plugin.published.put(table_of(plugin.state.book, plugin.plan.args));
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

ops::RpcResult LeaseService::list_leases(const ops::Arguments& asked) const {
    const auto tag = asked.find_text("tag");
    array named, nameless;
    bool is_known = false;
    for (const auto& [own_tag, plugin] : plugins_) {
        if (!plugin->is_wanted || (tag && *tag != own_tag)) continue;
        is_known = true;
        for (const NamedLease& lease : plugin->state.book.named) {
            named.push_back(object{{"tag", own_tag},
                                   {"name", lease.name},
                                   {"address", lease.address.to_string()},
                                   {"router", lease.router},
                                   {"server", lease.server},
                                   {"static", lease.is_static}});
        }
        for (const NamelessLease& lease : plugin->state.book.nameless) {
            nameless.push_back(object{{"tag", own_tag},
                                      {"address", lease.address},
                                      {"host_name", matchers::quoted(lease.host_name)},
                                      {"router", lease.router},
                                      {"why", lease.why}});
        }
    }
    if (!is_known && tag)
        return ops::bad_params("there is no dhcp_leases '" + *tag + "': see 'steerctl leases'");
    auto routers = router_rows({}, [this](object& row, const Router& router) {
        const RouterLeases* const known = find_known(router.plan.name());
        row["leases"] = known != nullptr ? known->leases.size() : 0;
    });
    return value(object{{"leases", std::move(named)},
                        {"nameless", std::move(nameless)},
                        {"routers", std::move(routers)}});
}

void LeaseService::add_methods(ops::Methods& methods) {
    methods.add(
        {.name = "leases",
         .help = "Shows the names of hosts with a DHCP lease, and the routers that are read.",
         .changes = ops::Changes::nothing(),
         .parameters = {{"tag", ops::ParamType::text, "the tag of a dhcp_leases; without it, all"}},
         .run = [this](const ops::Arguments& asked) { return list_leases(asked); },
         .members = "leases nameless routers",
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
