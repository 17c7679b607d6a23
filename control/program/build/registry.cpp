#include "control/program/build/registry.h"

#include "control/config/plugin_type.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/query_record.h"

namespace steer::build {
namespace {

template <class Key, class Id>
Result<Id> number(std::map<Key, Id>& ids, const Key& key, std::size_t most,
                  const std::string& what) {
    const auto at = ids.find(key);
    if (at != ids.end()) return at->second;
    if (ids.size() >= most) {
        return Error{"more than " + std::to_string(most) + " different " + what +
                     " since the daemon started: restart it"};
    }
    const Id id = static_cast<Id>(ids.size());
    ids.emplace(key, id);
    return id;
}

// The object of this key; created from `arguments` at the first request.
template <class Key, class Shared, class... Arguments>
std::shared_ptr<Shared> shared_of(std::map<Key, std::shared_ptr<Shared>>& all, const Key& key,
                                  const Arguments&... arguments) {
    auto& known = all[key];
    if (known == nullptr) known = std::make_shared<Shared>(arguments...);
    return known;
}

}  // namespace

Result<ListId> Registry::list(const std::string& tag, const std::string& routers) {
    return number(lists_, {tag, routers}, kMaxLists,
                  "lists (" + config::names_of(config::Sink::router) +
                      ", opnsense_alias, ipset, nftset, bgp_route)");
}

std::vector<std::pair<std::string, std::string>> Registry::list_names() const {
    std::vector<std::pair<std::string, std::string>> names(lists_.size());
    for (const auto& [name, id] : lists_)
        names[id] = name;
    return names;
}

Result<std::uint16_t> Registry::upstream(const std::string& key) {
    return number(upstreams_, key, kMaxUpstreams, "upstreams");
}

Result<std::uint16_t> Registry::cache(const std::string& tag) {
    return number(caches_, tag, kMaxCaches, "caches");
}

std::shared_ptr<RunningRefreshes> Registry::refreshes(const std::string& tag) {
    return shared_of(refreshes_, tag);
}

Result<std::uint16_t> Registry::recorded_mark(std::uint32_t mark) {
    return number(recorded_marks_, mark, QueryRecord::kMarkBits,
                  "marks in 'include_marks' and 'exclude_marks' of query_recorders");
}

Result<std::uint16_t> Registry::frontend(const std::string& key) {
    auto index = number(frontends_, key, kMaxFrontends, "servers over TCP and paths of them");
    if (!index) return index.error();
    return static_cast<std::uint16_t>(*index + 1);
}

std::shared_ptr<Collector> Registry::collector(const std::string& name) {
    return shared_of(collectors_, name, name, kMaxWorkers);
}

std::shared_ptr<ListMatches> Registry::list_matches(const std::string& tag,
                                                    const std::string& list) {
    return shared_of(list_matches_, {tag, list}, kMaxWorkers);
}

std::shared_ptr<std::atomic<std::uint32_t>> Registry::ad_list_pause(const std::string& tag) {
    return shared_of(ad_list_pauses_, tag, 0U);
}

std::shared_ptr<TaskFlag> Registry::task(const std::string& tag) {
    return shared_of(tasks_, tag);
}

std::shared_ptr<TimeWindow> Registry::time_window(const std::string& periods) {
    return shared_of(time_windows_, periods);
}

Result<std::uint16_t> Registry::inherited_set(const std::string& tag) {
    return number(inherited_sets_, tag, InheritedNames::kMaxSets, "domain_sets with 'inherit'");
}

std::shared_ptr<InheritedNames> Registry::inherited() {
    if (inherited_ == nullptr) inherited_ = std::make_shared<InheritedNames>();
    return inherited_;
}

std::shared_ptr<LivePolicy> Registry::live_policy(const std::string& tag) {
    return shared_of(live_policies_, tag);
}

std::shared_ptr<LivePolicy> Registry::local_zone(const std::string& tag) {
    return shared_of(local_zones_, tag);
}

std::shared_ptr<LiveTargets> Registry::live_targets() {
    if (live_targets_ == nullptr) live_targets_ = std::make_shared<LiveTargets>();
    return live_targets_;
}

Result<std::uint16_t> Registry::limit(const std::string& name) {
    return number(limits_, name, kMaxLimits, "names of rows of 'limits'");
}

std::shared_ptr<LimitTables> Registry::limit_tables(std::size_t bytes, unsigned workers,
                                                    unsigned streams) {
    if (limit_tables_ != nullptr) return limit_tables_;
    limit_tables_ = std::make_shared<LimitTables>();
    for (unsigned i = 0; i < workers; ++i)
        limit_tables_->workers.push_back(std::make_unique<LimitThread>(bytes, workers));
    for (unsigned i = 0; i < streams; ++i)
        limit_tables_->streams.push_back(std::make_unique<LimitThread>(bytes, streams, false));
    return limit_tables_;
}

std::shared_ptr<LivePrefixes> Registry::live_prefixes(const std::string& tag) {
    return shared_of(live_prefixes_, tag);
}

std::shared_ptr<LiveRules> Registry::name_rules() {
    if (name_rules_ == nullptr) name_rules_ = std::make_shared<LiveRules>();
    return name_rules_;
}

std::shared_ptr<LiveGroups> Registry::device_groups() {
    if (device_groups_ == nullptr) device_groups_ = std::make_shared<LiveGroups>();
    return device_groups_;
}

std::shared_ptr<LiveAnswers> Registry::live_answers(const std::string& tag) {
    return shared_of(live_answers_, tag);
}

std::shared_ptr<ReverseTable> Registry::reverse(const std::string& tag, std::size_t size) {
    auto& [known_size, table] = reverse_[tag];
    if (table == nullptr || known_size != size) {
        table = std::make_shared<ReverseTable>(size);
        known_size = size;
    }
    return table;
}

}  // namespace steer::build
