#include "control/sources/rules/rule_pages.h"

#include <boost/json/object.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <climits>
#include <cstdlib>
#include <string>
#include <utility>

#include "control/config/advice/why.h"
#include "control/sources/rules/rule_lines.h"
#include "control/sources/rules/rule_origins.h"

namespace steer::rules {
namespace json = boost::json;
namespace {

using ops::hash_of;

bool is_it(const RuleLines::Line& line, const RuleCursor& wanted) {
    return hash_of(line.bytes) == wanted.hash;
}

// The line of the cursor after a change of the file; of equal lines the nearest, then the later.
std::optional<RuleCursor> find_again(RuleLines& lines, const RuleCursor& wanted) {
    std::optional<RuleCursor> best;
    lines.go_to(0, 1);
    while (const auto line = lines.next()) {
        if (!is_it(*line, wanted)) continue;
        if (best && std::abs(best->line - wanted.line) < std::abs(line->number - wanted.line))
            break;
        best = RuleCursor{line->at, wanted.hash, line->number};
    }
    return best;
}

// The next line is the one behind the cursor's. False: that one was removed.
bool go_behind(RuleLines& lines, const RuleCursor& after) {
    if (after.line == 0) return true;
    lines.go_to(after.at, after.line);
    if (const auto line = lines.next(); line && is_it(*line, after)) return true;
    const auto now = find_again(lines, after);
    if (!now) return false;
    lines.go_to(now->at, now->line);
    return lines.next().has_value();
}

using RowsByKey = boost::unordered_flat_map<std::string, std::size_t>;

void add_origins(const std::string& file, const RowsByKey& rows, RulePage& page) {
    if (rows.empty()) return;
    (void)visit_rule_origins(file, [&](std::string_view rule, const RuleOrigin& origin) {
        const auto row = origin.is_learned ? rows.find(std::string(rule)) : rows.end();
        if (row != rows.end())
            page.rules[row->second].as_object()["learned_s"] = origin.since_ms / 1000;
    });
}

Error unreadable(const std::string& file, const Error& why) {
    return Error{file + " cannot be read: " + why.text};
}

}  // namespace

ops::Cursor RuleCursor::to_cursor() const {
    return {std::to_string(at), std::to_string(line), std::to_string(hash)};
}

std::optional<RuleCursor> RuleCursor::from(std::string_view text) {
    const auto cursor = ops::Cursor::from(text, 3);
    if (!cursor) return std::nullopt;
    const auto at = cursor->number(0), line = cursor->number(1), hash = cursor->number(2);
    if (!at || !line || !hash || *at > INT64_MAX || *line == 0 || *line > INT_MAX)
        return std::nullopt;
    return RuleCursor{*at, *hash, static_cast<int>(*line)};
}

Result<RulePage> read_rule_page(const std::string& file, const std::string& origins_file,
                                const RuleCursor& after, std::size_t most_rows) {
    auto lines = RuleLines::open(file);
    if (!lines) return unreadable(file, lines.error());
    RulePage page;
    page.has_lost_place = !go_behind(*lines, after);
    ops::PageRoom room(most_rows);
    RowsByKey rows;
    std::optional<RuleCursor> last;
    while (!page.has_lost_place) {
        const auto line = lines->next();
        if (!line) break;
        auto found = rule_of(line->bytes);
        if (!found) continue;
        if (room.is_full()) {
            page.next = last;
            break;
        }
        last = RuleCursor{line->at, hash_of(line->bytes), line->number};
        if (!origins_file.empty()) rows.emplace(config::rule_text(found->rule), page.rules.size());
        room.add(page.rules, json::object{{"rule", found->text}, {"line", line->number}});
    }
    add_origins(origins_file, rows, page);
    return {boost::system::in_place_value, std::move(page)};
}

Result<RuleCount> count_rules(const std::string& file, const std::string& origins_file) {
    auto lines = RuleLines::open(file);
    if (!lines) return unreadable(file, lines.error());
    RuleCount count;
    boost::unordered_flat_set<std::uint64_t> learned;  // hashes of the rules' texts
    const auto read = visit_rule_origins(
        origins_file, [&learned](std::string_view rule, const RuleOrigin& origin) {
            if (origin.is_learned) learned.insert(hash_of(rule));
        });
    if (!read) count.origins_error = read.error().text;
    while (const auto line = lines->next()) {
        const auto found = rule_of(line->bytes);
        if (!found) continue;
        ++count.rules;
        if (!learned.empty() && learned.contains(hash_of(config::rule_text(found->rule))))
            ++count.learned;
    }
    return count;
}

}  // namespace steer::rules
