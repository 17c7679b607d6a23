#include "control/observe/lists/hit_counts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/octets.h"
#include "matchers/suffix/public_suffixes.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

template <class Map, class Text>
array most_asked(const Map& counts, std::string_view what, std::size_t top, Text text) {
    using Row = std::pair<std::string, std::uint64_t>;
    std::vector<Row> rows;
    rows.reserve(counts.size());
    for (const auto& [key, queries] : counts)
        rows.emplace_back(text(key), queries);
    const auto kept = rows.begin() + static_cast<std::ptrdiff_t>(std::min(top, rows.size()));
    std::partial_sort(rows.begin(), kept, rows.end(), [](const Row& a, const Row& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    array out;
    for (auto row = rows.begin(); row != kept; ++row)
        out.push_back(object{{what, row->first}, {"queries", row->second}});
    return out;
}

}  // namespace

bool HitCounts::Filter::selects(const QueryRecordView& record) const {
    const QueryRecord& head = record.head;
    if (clients &&
        matchers::Prefix::masked(head.client, clients->length).address != clients->address)
        return false;
    if (name.empty()) return true;
    const auto asked = record.qname();
    if (asked.size() < name.size()) return false;
    std::size_t at = 0;
    while (asked.size() - at > name.size())
        at += asked[at] + 1U;
    return at + name.size() == asked.size() && dns::same_name(asked.subspan(at), name);
}

void HitCounts::add(const QueryRecordView& record) {
    const QueryRecord& head = record.head;
    lost_ += head.lost;
    if (!filter_.selects(record)) return;
    ++samples_;
    queries_ += head.stands_for;
    if (head.qname_len == 0) {
        malformed_ += head.stands_for;
        return;
    }
    const auto as_sent = record.qname();
    std::string name(as_sent.size(), '\0');
    dns::lower_case(as_sent.data(), reinterpret_cast<std::uint8_t*>(name.data()), as_sent.size());
    count(names_, name, head.stands_for);
    count(clients_, head.client.to_string(), head.stands_for);
    count(types_, head.qtype, head.stands_for);
}

std::vector<config::AskedName> HitCounts::names() const {
    std::vector<config::AskedName> out;
    out.reserve(names_.size());
    for (const auto& [name, queries] : names_)
        out.push_back({{name.begin(), name.end()}, queries});
    return out;
}

object HitCounts::to_json(std::size_t top) const {
    const auto as_it_is = [](const std::string& text) { return text; };
    array names = most_asked(names_, "name", top, [](const std::string& name) {
        return dns::name_to_text(octets_of(name));
    });
    const matchers::PublicSuffixes& suffixes = matchers::PublicSuffixes::current();
    for (boost::json::value& row : names) {
        const auto& name = row.at("name").as_string();
        const std::string domain(suffixes.domain_of(std::string_view(name.data(), name.size())));
        row.as_object()["domain"] = domain;
    }
    return {{"queries", queries_},
            {"malformed", malformed_},
            {"samples", samples_},
            {"lost", lost_},
            {"names", std::move(names)},
            {"clients", most_asked(clients_, "client", top, as_it_is)},
            {"types", most_asked(types_, "type", top, ops::type_name)}};
}

void keep_most_asked(array& rows, std::size_t top) {
    const auto queries = [](const boost::json::value& row) {
        return row.at("queries").to_number<std::uint64_t>();
    };
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto& a, const auto& b) { return queries(a) > queries(b); });
    if (rows.size() > top) rows.resize(top);
}

}  // namespace steer
