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

// One router that is followed.
struct LeaseService::Router final : routeros::LeaseSink {
    Router(LeaseService& owner, const build::LeaseRouter& plan)
        : service(owner), followed(owner.main_io_, owner.clock_, plan, *this) {}
    void take(const build::LeaseRouter& now) { followed.take(now); }
    void leases(std::vector<routeros::DhcpLease> all) override {
        service.heard(followed.plan().reader.name, std::move(all));
    }
    void log(routeros::Level level, std::string_view sentence) override {
        service.log_(level, std::string(sentence));
    }

    LeaseService& service;
    FollowedRouter<build::LeaseRouter, routeros::LeaseReader, routeros::LeaseSink> followed;
};

// One dhcp_leases.
struct LeaseService::Plugin {
    Plugin(build::LeasePlan p, rte_rcu_qsbr* qsbr)
        : plan(std::move(p)), published(plan.answers->table, qsbr) {}

    build::LeasePlan plan;
    bool is_wanted = true;
    LeaseBook book{};
    std::set<std::string> logged{};  // leases without a name that were logged
    std::uint64_t log_again_ms = 0;
    Published<LiveTable> published;
};

LeaseService::LeaseService(boost::asio::io_context& main_io, Clock& clock, rte_rcu_qsbr* qsbr,
                           std::string file, Log log)
    : main_io_(main_io),
      clock_(clock),
      qsbr_(qsbr),
      log_(std::move(log)),
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

void LeaseService::follow(const build::LeasePlans& plans) {
    follow_routers(
        routers_, plans.routers,
        [](const build::LeaseRouter& plan) -> const std::string& { return plan.reader.name; },
        [this](const build::LeaseRouter& plan) { return std::make_unique<Router>(*this, plan); });
    std::erase_if(known_, [&](const auto& k) { return !routers_.contains(k.first); });
    for (auto& [tag, plugin] : plugins_)
        plugin->is_wanted = false;
    for (const build::LeasePlan& plan : plans.plugins) {
        auto& plugin = plugins_[plan.tag];
        if (plugin == nullptr) plugin = std::make_unique<Plugin>(plan, qsbr_);
        plugin->plan = plan;
        plugin->is_wanted = true;
        name(*plugin);
    }
    for (auto& [tag, plugin] : plugins_) {
        if (plugin->is_wanted) continue;
        plugin->book = {};
        plugin->published.put(nullptr);
    }
}

void LeaseService::poll() {
    for (auto& [tag, plugin] : plugins_)
        plugin->published.poll();
}

void LeaseService::heard(const std::string& router, std::vector<routeros::DhcpLease> leases) {
    RouterLeases fresh{router, std::move(leases)};
    RouterLeases& known = known_[router];
    if (known == fresh) return;
    known = std::move(fresh);
    for (auto& [tag, plugin] : plugins_) {
        const auto& routers = plugin->plan.routers;
        if (plugin->is_wanted && std::ranges::find(routers, router) != routers.end()) name(*plugin);
    }
    kept_.keep_soon();
}

void LeaseService::name(Plugin& plugin) {
    std::vector<const RouterLeases*> all;
    for (const std::string& router : plugin.plan.routers) {
        if (const auto at = known_.find(router); at != known_.end()) all.push_back(&at->second);
    }
    plugin.book = name_leases(all, plugin.plan.args);
    plugin.published.put(table_of(plugin.book, plugin.plan.args));
    log_nameless(plugin);
}

// Logs one new lease, at most once a minute: clients choose their names.
void LeaseService::log_nameless(Plugin& plugin) {
    std::set<std::string> now;
    const NamelessLease* news = nullptr;
    for (const NamelessLease& lease : plugin.book.nameless) {
        std::string key = lease.router + " " + lease.address + " " + lease.host_name;
        if (news == nullptr && !plugin.logged.contains(key)) news = &lease;
        now.insert(std::move(key));
    }
    const std::uint64_t now_ms = clock_.now().ms;
    if (news != nullptr && now_ms < plugin.log_again_ms) return;
    plugin.logged = std::move(now);
    if (news == nullptr) return;
    plugin.log_again_ms = now_ms + kLogEveryMs;
    const std::size_t others = plugin.book.nameless.size() - 1;
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
    array named, nameless, routers;
    bool is_known = false;
    for (const auto& [own_tag, plugin] : plugins_) {
        if (!plugin->is_wanted || (tag && *tag != own_tag)) continue;
        is_known = true;
        for (const NamedLease& lease : plugin->book.named) {
            named.push_back(object{{"tag", own_tag},
                                   {"name", lease.name},
                                   {"address", lease.address.to_string()},
                                   {"router", lease.router},
                                   {"server", lease.server},
                                   {"static", lease.is_static}});
        }
        for (const NamelessLease& lease : plugin->book.nameless) {
            nameless.push_back(object{{"tag", own_tag},
                                      {"address", lease.address},
                                      {"host_name", matchers::quoted(lease.host_name)},
                                      {"router", lease.router},
                                      {"why", lease.why}});
        }
    }
    if (!is_known && tag)
        return ops::bad_params("there is no dhcp_leases '" + *tag + "': see 'steerctl leases'");
    for (const auto& [router, session] : routers_) {
        const auto known = known_.find(router);
        routers.push_back(
            object{{"router", router},
                   {"state", label(session->followed.reader().state())},
                   {"leases", known == known_.end() ? 0 : known->second.leases.size()},
                   {"trouble", session->followed.reader().trouble()}});
    }
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
        writer.sample({{"plugin", tag}}, std::uint64_t{plugin->book.named.size()});
        writer.family("steerdns_leases_nameless");
        writer.sample({{"plugin", tag}}, std::uint64_t{plugin->book.nameless.size()});
    }
    for (const auto& [name, router] : routers_) {
        writer.family("steerdns_leases_followed");
        writer.sample({{"router", name}}, std::uint64_t{router->followed.in_sync() ? 1U : 0U});
    }
}

}  // namespace steer::leases
