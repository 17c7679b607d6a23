// Takes over rows of a predecessor (ForgeDNS, OxiDNS, another instance) by the operator's command.
//
// One `set comment` takes over a row. The row is never removed, and its timeout continues. From
// then on it is our row: an answer that needs it extends it; else it expires.
#include <algorithm>
#include <map>

#include "matchers/safe_text.h"
#include "routeros/router.h"

namespace steer::routeros {

namespace {

constexpr std::size_t kRowsOfASentence = 50;

}  // namespace

// The list that a row belongs to once it is ours: the plugin with the same tag, else the first one that keeps this list.
const Router::List* Router::heir_of(NameIndex name, std::string_view tag) const {
    const auto& users = names_[name].users;
    const auto same =
        std::ranges::find_if(users, [&](const List* list) { return list->config.tag == tag; });
    if (same != users.end()) return *same;
    return users.empty() ? nullptr : users.front();
}

AdoptableRow Router::adoptable(const Row& row, const CommentFacts& facts) const {
    AdoptableRow out{
        names_[row.place.name].text, row.place.address.to_string(), row.comment, {}, {}};
    const List* const heir = heir_of(row.place.name, facts.tag);
    const bool persistent = facts.kind == RowKind::persistent;
    if (heir == nullptr) {
        out.becomes = "stays: no plugin keeps this list";
    } else if (row.disabled) {
        out.becomes = "stays: it is disabled";
    } else if (persistent && !persistent_.contains(row.place)) {
        out.becomes = "stays: its address is not in 'persistent' of " + heir->config.tag;
    } else {
        out.own_comment =
            row_comment(heir->config.prefix, heir->config.tag, facts.kind, facts.name);
        out.becomes = persistent ? "a persistent row of " + heir->config.tag
                      : row.is_static()
                          ? "a row of " + heir->config.tag + " without a timeout"
                          : "a row of " + heir->config.tag + " until its timeout or a new answer";
    }
    return out;
}

// Sorted, without those behind the first `most`.
void Router::keep_first(std::vector<AdoptableRow>& rows, std::size_t most) {
    std::ranges::sort(rows, {}, [](const AdoptableRow& row) {
        return std::pair{row.list, row.address};
    });
    if (rows.size() > most)
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end());
}

Adopted Router::adopt(std::string_view prefix, bool write, std::uint64_t now_ms, std::size_t most) {
    go_on_at(now_ms);
    Adopted done;
    if (state_ != RouterState::in_sync) return done;
    std::map<std::pair<std::size_t, std::string>, std::vector<RowId>> by_comment;  // by table
    rows_.for_each([&](const Row& row) {
        if (row.owner == Owner::ours || row.comment.empty() || row.is_gone(now_)) return;
        const auto facts = parse_comment(prefix, row.comment);
        if (!facts) return;
        ++done.found;
        done.rows.push_back(adoptable(row, *facts));
        if (write && !done.rows.back().own_comment.empty())
            by_comment[{row.place.table().index(), done.rows.back().own_comment}].push_back(row.id);
        if (done.rows.size() / 2 > most) keep_first(done.rows, most);
    });
    keep_first(done.rows, most);
    if (!write || !writes()) return done;
    for (const auto& [target, ids] : by_comment) {
        for (std::size_t from = 0; from < ids.size(); from += kRowsOfASentence) {
            const std::size_t count = std::min(kRowsOfASentence, ids.size() - from);
            const Table table = kTables[target.first];
            submit(set_comment(table, std::span(ids).subspan(from, count), target.second),
                   {JobKind::adopt, table});
        }
        done.asked += ids.size();
    }
    if (done.asked > 0) {
        log_line(Level::info, who() + ": takes over " + std::to_string(done.asked) + " rows of " +
                                  safe_text(prefix));
    }
    run();
    return done;
}

// Reads the rows again: another program may have removed some of them.
void Router::on_adopt_end(const Job& /*job*/, const Ending& ending) {
    if (!ending.ok && !ending.says("no such item")) {
        log_line(Level::warning, who() +
                                     " did not rewrite the comments of rows that are to be taken "
                                     "over: " +
                                     ending.message);
    }
    if (jobs(JobKind::adopt) == 0) request_reprint(now_);
}

}  // namespace steer::routeros
