#include "control/sources/router_lists/router_list_service.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "control/config/reading.h"
#include "control/host/process/new_file.h"
#include "control/host/process/state_file.h"

namespace steer::router_lists {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using routeros::TimedAddress;

constexpr std::uint64_t kEndsEveryMs = 1'000;  // timeouts are checked
constexpr std::size_t kSample = 5;             // addresses that a report shows

matchers::Prefix prefix_of(const routeros::Address& address) {
    return matchers::Prefix::masked(IpAddress::from_v6(address.bytes.data()), address.prefix);
}

}  // namespace

RouterListService::RouterListService(boost::asio::io_context& main_io, Clock& clock,
                                     rte_rcu_qsbr* qsbr, std::string file, Log log)
    : RouterFollower(main_io, clock, qsbr, std::move(log)),
      kept_(
          main_io, std::move(file), [this] { return text_to_keep(); }, save_lists, log_) {
    if (kept_.file().empty()) return;
    auto kept = load_lists(kept_.file(), now());
    if (kept) {
        known_ = *std::move(kept);
    } else {
        log_(routeros::Level::warning, kept.error().sentence());
    }
}

RouterListService::~RouterListService() {
    const bool has_any = !routers_.empty();
    note_current();
    routers_.clear();
    if (has_any) kept_.keep();
}

// The lists of a router in sync are current now.
void RouterListService::note_current() {
    const std::uint64_t now_ms = clock_.now().ms;
    for (const auto& [name, router] : routers_) {
        if (router->in_sync()) known_[name].current_ms = now_ms;
    }
}

Moment RouterListService::now() const {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {clock_.now().ms, std::chrono::duration_cast<std::chrono::seconds>(wall).count()};
}

void RouterListService::follow(const build::RouterListPlans& plans) {
    RouterFollower::follow(plans);
    for (const auto& [name, router] : routers_) {
        const KnownLists* const known = find_known(name);
        if (known != nullptr && known->was_read) write_servers(*router);
    }
}

void RouterListService::poll() {
    const std::uint64_t now_ms = clock_.now().ms;
    RouterFollower::poll();
    note_current();
    if (now_ms < next_end_ms_) return;
    next_end_ms_ = now_ms + kEndsEveryMs;
    for (auto& [tag, plugin] : plugins_) {
        const bool may_end = std::ranges::any_of(plugin->plan.routers,
                                                 [&](const auto& name) { return !in_sync(name); });
        if (plugin->is_wanted && may_end && in_force(*plugin).size() != plugin->state.size)
            publish(*plugin);
    }
}

void RouterListService::take(const std::string& router, routeros::RouterLists lists) {
    KnownLists& known = known_[router];
    const bool is_news = known.lists != lists;
    const bool are_servers_news = !known.was_read || known.lists.servers != lists.servers;
    known.was_read = true;
    known.current_ms = clock_.now().ms;
    if (!is_news && !are_servers_news) return;
    known.lists = std::move(lists);
    publish_all_of(router);
    if (are_servers_news) write_servers(*routers_.at(router));
    kept_.keep_soon();
}

const std::vector<TimedAddress>* RouterListService::find_list(const Plugin& plugin,
                                                              const std::string& router) const {
    const KnownLists* const known = find_known(router);
    if (known == nullptr) return nullptr;
    const auto list = known->lists.lists.find(plugin.plan.list);
    return list != known->lists.lists.end() ? &list->second : nullptr;
}

// A router that is in sync reports the end of a timeout itself.
std::vector<matchers::Prefix> RouterListService::in_force(const Plugin& plugin) const {
    const std::uint64_t now_ms = clock_.now().ms;
    std::vector<matchers::Prefix> prefixes;
    for (const std::string& name : plugin.plan.routers) {
        const auto* const list = find_list(plugin, name);
        if (list == nullptr) continue;
        const bool is_current = in_sync(name);
        for (const TimedAddress& one : *list) {
            if (one.until_ms == 0 || one.until_ms > now_ms || is_current)
                prefixes.push_back(prefix_of(one.address));
        }
    }
    return prefixes;
}

void RouterListService::publish(Plugin& plugin) {
    const auto prefixes = in_force(plugin);
    plugin.state.size = prefixes.size();
    plugin.published.put(std::make_unique<const matchers::PrefixSet>(prefixes));
}

// ---- files

void RouterListService::write_servers(const Router& router) {
    const build::ListedRouter& plan = router.plan;
    if (plan.servers_file.empty()) return;
    const std::string& name = plan.name();
    kept_.run([file = plan.servers_file, text = servers_text(name, known_[name].lists),
               log = log_] {
        // A file that is written is a change for its watcher.
        if (const auto old = config::Reading::read_text(file); old && *old == text) return;
        make_folder_of(file);
        std::error_code error;
        const auto folder = std::filesystem::path(file).parent_path();
        if (!std::filesystem::is_directory(folder, error))
            return log(routeros::Level::warning,
                       "the DNS servers of a router are not kept in " + file +
                           ": its folder cannot be created; create it for the user of the daemon");
        const auto kept =
            save_state(file, text, {.setting = "router_lists"}, "the DNS servers of a router",
                       "a forward uses the old ones until the file can be written");
        if (!kept) log(routeros::Level::warning, kept.error().sentence());
    });
}

std::string RouterListService::text_to_keep() {
    note_current();
    return state_text(known_, now());
}

// ---- reports

std::optional<std::uint64_t> RouterListService::age_s(const Router& router) const {
    if (router.in_sync()) return 0;
    const KnownLists* const known = find_known(router.plan.name());
    if (known == nullptr || !known->was_read) return std::nullopt;
    const std::uint64_t now_ms = clock_.now().ms;
    return (now_ms - std::min(now_ms, known->current_ms)) / 1000;
}

ops::RpcResult RouterListService::show(const ops::Arguments& asked) const {
    const auto wanted = asked.find_text("name");
    if (wanted && !routers_.contains(*wanted))
        return ops::bad_params("no ros_list and no forward follows a router '" + *wanted +
                               "': see 'steerctl routers lists'");
    array lists;
    for (const auto& [tag, plugin] : plugins_) {
        if (!plugin->is_wanted) continue;
        for (const std::string& name : plugin->plan.routers) {
            if (wanted && *wanted != name) continue;
            array sample;
            const auto* const list = find_list(*plugin, name);
            const std::size_t count = list != nullptr ? list->size() : 0;
            for (std::size_t i = 0; i < std::min(count, kSample); ++i)
                sample.emplace_back((*list)[i].address.to_string());
            lists.push_back(object{{"tag", tag},
                                   {"list", plugin->plan.list},
                                   {"router", name},
                                   {"addresses", count},
                                   {"sample", std::move(sample)}});
        }
    }
    auto routers = router_rows(wanted, [this](object& row, const Router& router) {
        if (const auto age = age_s(router)) row["age_s"] = *age;
        if (router.plan.servers_file.empty()) return;
        array servers;
        if (const KnownLists* const known = find_known(router.plan.name())) {
            for (const std::string& server : known->lists.servers)
                servers.emplace_back(server);
        }
        row["servers"] = std::move(servers);
    });
    return value(object{{"lists", std::move(lists)}, {"routers", std::move(routers)}});
}

void RouterListService::add_methods(ops::Methods& methods) {
    methods.add({.name = "routers.lists",
                 .help = "Shows the address lists and DNS servers that are followed on routers.",
                 .changes = ops::Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .parameters = {{"name", ops::ParamType::text, "a router; without it, all"}},
                 .run = [this](const ops::Arguments& asked) { return show(asked); },
                 .members = "lists routers",
                 .result = "the lists and DNS servers of each router"});
}

void RouterListService::write_metrics(ops::MetricWriter& writer) const {
    for (const auto& [tag, plugin] : plugins_) {
        if (!plugin->is_wanted) continue;
        writer.family("steerdns_router_list_addresses");
        writer.sample({{"plugin", tag}}, std::uint64_t{plugin->state.size});
    }
    for (const auto& [name, router] : routers_) {
        if (!router->plan.servers_file.empty()) {
            const KnownLists* const known = find_known(name);
            writer.family("steerdns_router_list_servers");
            writer.sample({{"router", name}},
                          std::uint64_t{known == nullptr ? 0 : known->lists.servers.size()});
        }
        if (const auto age = age_s(*router)) {
            writer.family("steerdns_router_list_age_seconds");
            writer.sample({{"router", name}}, *age);
        }
    }
}

}  // namespace steer::router_lists
