// Ids that survive reloads, of policy lists, upstreams and cache instances.
//
// Workers, the row board, the next-hop table and the cache use numbers; a configuration uses names.
// The registry gives each name one number for the life of the process. So cache and rows stay valid
// after a reload. Bounded: too many names are an Error that requires a restart. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/answer/ad_list.h"
#include "dataplane/answer/live_answers.h"
#include "dataplane/answer/live_prefixes.h"
#include "dataplane/answer/name_rules.h"
#include "dataplane/answer/policy_zone.h"
#include "dataplane/answer/reverse_table.h"
#include "dataplane/base/list_state.h"
#include "dataplane/limits/limit_policy.h"
#include "dataplane/policy/cache_instance.h"
#include "dataplane/policy/collector.h"
#include "dataplane/policy/inherited_names.h"
#include "dataplane/policy/task_flag.h"
#include "dataplane/policy/time_window.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::build {

inline constexpr std::size_t kMaxUpstreams = 1024;  // the size of the forwarder's tables
inline constexpr std::size_t kMaxCaches = 64;
inline constexpr std::size_t kMaxFrontends = 4096;

class Registry {
  public:
    // A list is one ros_address_list, identified by its tag and its routers' names.
    Result<ListId> list(const std::string& tag, const std::string& routers);
    // Every list's tag and routers, by id.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> list_names() const;
    // `key`: identifies the upstream (upstreams.h).
    Result<std::uint16_t> upstream(const std::string& key);
    Result<std::uint16_t> cache(const std::string& tag);
    // The running background refreshes of a cache, by its tag.
    std::shared_ptr<RunningRefreshes> refreshes(const std::string& tag);
    // The bit in ProgramState::marks of a mark that a query_recorder selects by. Records store this
    // bit.
    Result<std::uint16_t> recorded_mark(std::uint32_t mark);
    // A server over TCP, or a path of it (frontends.h). Numbers start at 1.
    Result<std::uint16_t> frontend(const std::string& key);
    std::shared_ptr<Collector> collector(const std::string& name);
    // The counts of an adlist's lists, and the end of its pause, by its tag.
    std::shared_ptr<ListMatches> list_matches(const std::string& tag, const std::string& list);
    std::shared_ptr<std::atomic<std::uint32_t>> ad_list_pause(const std::string& tag);
    // The flag that workers raise for a background task, by its tag.
    std::shared_ptr<TaskFlag> task(const std::string& tag);
    // The window of a list of periods, by its text (control/config/text/time_periods.h).
    std::shared_ptr<TimeWindow> time_window(const std::string& periods);
    [[nodiscard]] const std::map<std::string, std::shared_ptr<TaskFlag>>& tasks() const {
        return tasks_;
    }
    // The rules of `control.rules`.
    std::shared_ptr<LiveRules> name_rules();
    // The groups of devices that people made.
    std::shared_ptr<LiveGroups> device_groups();
    // The answers of a dhcp_leases, by its tag.
    std::shared_ptr<LiveAnswers> live_answers(const std::string& tag);
    // The policy zone, or the local zone, of a secondary, by its tag.
    std::shared_ptr<LivePolicy> live_policy(const std::string& tag);
    std::shared_ptr<LivePolicy> local_zone(const std::string& tag);
    // The names that such zones ask for instead.
    std::shared_ptr<LiveTargets> live_targets();
    // The addresses of a ros_list, by its tag.
    std::shared_ptr<LivePrefixes> live_prefixes(const std::string& tag);
    // The number of an inherited domain_set, and the inheriting names.
    Result<std::uint16_t> inherited_set(const std::string& tag);
    std::shared_ptr<InheritedNames> inherited();
    // A row of `limits:`, by its name.
    Result<std::uint16_t> limit(const std::string& name);
    // The tables that rows of `limits:` fill, made at the first call. Later sizes need a restart.
    std::shared_ptr<LimitTables> limit_tables(std::size_t bytes, unsigned workers,
                                              unsigned streams);
    // The table of a reverse_lookup; a new one if its size changes.
    std::shared_ptr<ReverseTable> reverse(const std::string& tag, std::size_t size);

  private:
    std::map<std::pair<std::string, std::string>, ListId> lists_;
    std::map<std::string, std::uint16_t> upstreams_;
    std::map<std::string, std::uint16_t> caches_;
    std::map<std::string, std::shared_ptr<RunningRefreshes>> refreshes_;
    std::map<std::uint32_t, std::uint16_t> recorded_marks_;
    std::map<std::string, std::uint16_t> frontends_;
    std::map<std::string, std::uint16_t> inherited_sets_;
    std::shared_ptr<InheritedNames> inherited_;
    std::map<std::string, std::shared_ptr<Collector>> collectors_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<ListMatches>> list_matches_;
    std::map<std::string, std::shared_ptr<std::atomic<std::uint32_t>>> ad_list_pauses_;
    std::map<std::string, std::shared_ptr<TaskFlag>> tasks_;
    std::map<std::string, std::shared_ptr<TimeWindow>> time_windows_;
    std::shared_ptr<LiveRules> name_rules_;
    std::shared_ptr<LiveGroups> device_groups_;
    std::map<std::string, std::shared_ptr<LiveAnswers>> live_answers_;
    std::map<std::string, std::shared_ptr<LivePrefixes>> live_prefixes_;
    std::map<std::string, std::shared_ptr<LivePolicy>> live_policies_, local_zones_;
    std::shared_ptr<LiveTargets> live_targets_;
    std::map<std::string, std::uint16_t> limits_;
    std::shared_ptr<LimitTables> limit_tables_;
    std::map<std::string, std::pair<std::size_t, std::shared_ptr<ReverseTable>>> reverse_;
};

}  // namespace steer::build
