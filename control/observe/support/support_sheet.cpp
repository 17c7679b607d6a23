#include "control/observe/support/support_sheet.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <map>
#include <string_view>
#include <utility>

namespace steer::support {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

std::string_view text(const object& query, std::string_view key) {
    const value* const one = query.if_contains(key);
    return one != nullptr && one->is_string() ? std::string_view(one->get_string())
                                              : std::string_view();
}

std::int64_t number(const object& query, std::string_view key) {
    const value* const one = query.if_contains(key);
    boost::system::error_code error;
    const auto out = one == nullptr ? 0 : one->to_number<std::int64_t>(error);
    return error ? 0 : out;
}

// Queries that are equal in these members. The first one of a group is the newest.
class Groups {
  public:
    explicit Groups(std::vector<std::string_view> members) : members_(std::move(members)) {}

    void add(const object& query) {
        std::string key;
        for (const std::string_view member : members_)
            key.append(text(query, member)).push_back('\0');
        const auto [at, is_new] = places_.emplace(std::move(key), groups_.size());
        if (is_new) groups_.push_back(begin(query));
        Group& group = groups_[at->second];
        group.queries += std::max<std::int64_t>(1, number(query, "stands_for"));
        group.slowest_us = std::max(group.slowest_us, number(query, "duration_us"));
    }
    [[nodiscard]] array json(bool most_frequent_first = false) {
        if (most_frequent_first)
            std::ranges::stable_sort(groups_, std::ranges::greater{}, &Group::queries);
        if (groups_.size() > kMostGroups) groups_.resize(kMostGroups);
        array out;
        for (Group& group : groups_) {
            group.json["queries"] = group.queries;
            group.json["slowest_us"] = group.slowest_us;
            out.push_back(std::move(group.json));
        }
        return out;
    }

  private:
    struct Group {
        object json;
        std::int64_t queries = 0, slowest_us = 0;
    };
    [[nodiscard]] Group begin(const object& query) const {
        Group group;
        group.json["last_us"] = number(query, "time_us");
        for (const std::string_view member : members_) {
            if (const std::string_view word = text(query, member); !word.empty())
                group.json[member] = word;
            // The same rule of a list is in one line.
            if (member == "list_rule" && query.contains("line"))
                group.json["line"] = query.at("line");
        }
        return group;
    }

    std::vector<std::string_view> members_;
    std::map<std::string, std::size_t> places_;
    std::vector<Group> groups_;
};

// No answer, or an answer that says that there is none because of a fault. NXDOMAIN is an answer.
bool has_failed(const object& query) {
    if (text(query, "decision") == "blocked") return false;
    const std::string_view rcode = text(query, "rcode");
    return rcode != "NOERROR" && rcode != "NXDOMAIN";
}

void add_addresses(std::string_view answers, std::vector<IpAddress>& out) {
    while (!answers.empty()) {
        const std::size_t end = std::min(answers.find(' '), answers.size());
        const auto address = IpAddress::parse(answers.substr(0, end));
        answers.remove_prefix(std::min(end + 1, answers.size()));
        if (address && out.size() < kMostAddresses && std::ranges::find(out, *address) == out.end())
            out.push_back(*address);
    }
}

}  // namespace

Sheet sheet_of(const value& history) {
    Groups asked({"name", "type", "decision", "rcode"}),
        blocked({"name", "type", "plugin", "list", "list_rule", "rule"}),
        failed({"name", "type", "rcode", "end", "upstream"}), slow({"name", "type", "upstream"}),
        steered({"name", "type", "plugin", "answers"});
    Sheet out;
    std::int64_t queries = 0;
    const array& all = history.at("queries").as_array();
    for (const value& one : all) {
        const object& query = one.as_object();
        queries += std::max<std::int64_t>(1, number(query, "stands_for"));
        asked.add(query);
        if (text(query, "decision") == "blocked") blocked.add(query);
        if (has_failed(query)) failed.add(query);
        if (number(query, "duration_us") >= kSlowUs) slow.add(query);
        if (text(query, "decision") != "steered") continue;
        steered.add(query);
        add_addresses(text(query, "answers"), out.addresses);
    }
    out.steered_addresses = out.addresses.size();
    for (const value& one : all)
        add_addresses(text(one.as_object(), "answers"), out.addresses);
    out.json = {{"queries", queries},        {"complete", history.at("complete")},
                {"asked", asked.json(true)}, {"blocked", blocked.json()},
                {"failed", failed.json()},   {"slow", slow.json()},
                {"steered", steered.json()}};
    if (const value* const reached = history.as_object().if_contains("next_us"))
        out.json["read_from_us"] = *reached;
    return out;
}

std::string_view words_of_row(std::string_view state) {
    using Words = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Words, 8> kWords{{
        {"nothing", "present"},
        {"extend", "present, to be extended"},
        {"add", "missing, to be added"},
        {"refused", "missing, the router refused it"},
        {"enable", "disabled, to be enabled"},
        {"remove", "to be removed"},
        {"blocked", "missing, a disabled row is in its place"},
        {"left_alone", "disabled by hand"},
    }};
    const auto found = std::ranges::find(kWords, state, &Words::first);
    return found == kWords.end() ? state : found->second;
}

}  // namespace steer::support
