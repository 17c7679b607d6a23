#include "control/observe/lists/list_reports.h"

#include <cstddef>

#include "control/config/lists/list_changes.h"

namespace steer {

boost::json::array list_rules(std::span<const config::ReadList> lists) {
    boost::json::array out;
    for (const config::ReadList& list : lists) {
        out.push_back(boost::json::object{{"plugin", list.owner},
                                          {"list", list.source},
                                          {"file", list.file},
                                          {"rules", list.rules},
                                          {"bad_lines", list.bad_lines},
                                          {"left_out", list.left_out},
                                          {"max_shrink", list.max_shrink},
                                          {"loaded", list.loaded}});
    }
    return out;
}

boost::json::object list_summary(std::span<const config::ReadList> lists) {
    std::size_t rules = 0, bad_lines = 0, left_out = 0;
    for (const config::ReadList& list : lists) {
        rules += list.rules;
        bad_lines += list.bad_lines;
        left_out += list.left_out;
    }
    boost::json::array not_loaded;
    for (const auto& source : config::lists_not_loaded(lists))
        not_loaded.emplace_back(source);
    return {{"lists", lists.size()},
            {"rules", rules},
            {"bad_lines", bad_lines},
            {"left_out", left_out},
            {"not_loaded", std::move(not_loaded)}};
}

void write_list_metrics(ops::MetricWriter& writer, std::span<const config::ReadList> lists) {
    if (lists.empty()) return;  // a family has samples
    const auto each = [&](auto value) {
        for (const config::ReadList& list : lists)
            writer.sample({{"plugin", list.owner}, {"list", list.source}}, value(list));
    };
    writer.family("steerdns_list_rules");
    each([](const config::ReadList& l) { return std::uint64_t{l.rules}; });
    writer.family("steerdns_list_bad_lines");
    each([](const config::ReadList& l) { return std::uint64_t{l.bad_lines}; });
    writer.family("steerdns_list_left_out");
    each([](const config::ReadList& l) { return std::uint64_t{l.left_out}; });
    writer.family("steerdns_list_loaded");
    each([](const config::ReadList& l) { return std::uint64_t{l.loaded ? 1U : 0U}; });
}

}  // namespace steer
