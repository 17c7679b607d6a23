// What a rule of a person would have changed in recorded queries, before it is added.
//
// The rules themselves judge (dataplane/answer/name_rules.h): a query counts if the new rule would
// have decided it, among all rules of now. A block changes queries that were not blocked; an allow
// those that were, except by a legal list. Devices are known by the leases of now. For one thread.
#pragma once

#include <boost/json/object.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/observe/recorder/history.h"
#include "dataplane/answer/lease_devices.h"
#include "dataplane/answer/name_rules.h"

namespace steer::replay {

struct PreviewedRule {
    std::uint32_t number = 0;  // in `rules`
    bool allows = false;
    std::shared_ptr<const NameRules> rules;  // with the new one
    std::shared_ptr<const LeaseDevices> devices;
    std::uint32_t now_s = 0;                                 // of CLOCK_BOOTTIME
    std::vector<std::pair<std::string, std::string>> legal;  // tag and list of each legal list
};

class RulePreview {
  public:
    // Names and clients that are counted one by one; queries of others count only in the sum.
    static constexpr std::size_t kMostKept = 10'000, kMostShown = 20;

    explicit RulePreview(PreviewedRule rule) : rule_(std::move(rule)) {}
    void add(const recorder::SeenQuery& query);
    // {"queries", "would_block" or "would_allow", "clients", "names": [{"name", "queries"}]}. The
    // first is the number of added queries, the second that of queries that the rule changes; the
    // others are about these.
    [[nodiscard]] boost::json::object to_json() const;

  private:
    [[nodiscard]] bool changes(const recorder::SeenQuery& query) const;
    [[nodiscard]] bool is_legal(const recorder::SeenQuery& query) const;

    const PreviewedRule rule_;
    std::int64_t queries_ = 0, changed_ = 0;
    boost::unordered_flat_map<std::string, std::int64_t> names_, clients_;
};

}  // namespace steer::replay
