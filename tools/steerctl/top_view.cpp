#include "top_view.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>

#include "matchers/safe_text.h"
#include "table.h"

namespace steerctl {
namespace {

constexpr std::size_t kBetween = 2;
constexpr std::size_t kLeastFlexible = 24;
constexpr std::size_t kPageStep = 10;
constexpr std::string_view kHelpLine =
    "q quit  ? help  1-7 page  arrows select  Enter open  Esc back  <> sort";
constexpr std::string_view kHelp[] = {
    "q, Ctrl-C        quit",
    "1 to 7, Tab      overview, ends, upstreams, routers, names, clients, latency",
    "Up, Down         select a row, or a section of the overview",
    "PgUp, PgDn       ten rows up or down; Home, End: the first, the last",
    "Enter, Right     open the selected row or section: of a client its names,",
    "                 of a name its clients, counted for two seconds",
    "Esc, Left        back",
    "<, >             sort by another column",
    "r                reverse the order",
    "p, Space         stop and continue",
    "?                this help",
    "",
    "Rates are those of the last second. Names and clients are counted for one second at a time.",
    "A share is one of all queries. `steerctl hits` counts for longer, with rules."};

std::size_t index_of(TopPage page) {
    return static_cast<std::size_t>(page);
}

// The texts of a line with marks (screen.h), each made safe.
TopLine line_of(std::string_view text) {
    TopLine line;
    Style style = Style::plain;
    for (;;) {
        const auto mark = text.find(kMark);
        const std::string_view part = text.substr(0, mark);
        if (!part.empty())
            line.spans.emplace_back(style, steer::safe_text(part, std::string::npos));
        if (mark == std::string_view::npos || mark + 1 >= text.size()) return line;
        const auto digit = static_cast<unsigned>(text[mark + 1] - '0');
        style =
            digit <= static_cast<unsigned>(Style::bad) ? static_cast<Style>(digit) : Style::plain;
        text.remove_prefix(mark + 2);
    }
}

// Not longer than `width`; with `fill`, exactly that long.
void fit(TopLine& line, std::size_t width, bool fill = false) {
    std::size_t left = width;
    for (auto& [style, text] : line.spans) {
        text = cut(text, left);
        left -= std::min(left, display_width(text));
    }
    std::erase_if(line.spans, [](const auto& span) { return span.second.empty(); });
    if (fill && left > 0) line.spans.emplace_back(Style::plain, std::string(left, ' '));
}

void append(TopLine& line, const TopLine& more) {
    line.spans.insert(line.spans.end(), more.spans.begin(), more.spans.end());
}

TopTable sorted(const TopModel& model, const TopView& view, TopPage page) {
    TopTable table = model.table(page);
    const TopView::Sort& sort = view.sorts[index_of(page)];
    const std::size_t column = sort.is_chosen ? sort.column : table.sorted_by;
    const auto is_before = [column](const TopRow& a, const TopRow& b) {
        if (column >= a.cells.size() || column >= b.cells.size()) return false;
        const TopCell &x = a.cells[column], &y = b.cells[column];
        if (x.number != y.number) return x.number > y.number;  // the largest first; nothing last
        return x.number ? a.key < b.key : x.text < y.text;
    };
    std::ranges::stable_sort(table.rows, is_before);
    if (sort.is_reversed) std::ranges::reverse(table.rows);
    return table;
}

// The widths of the columns that fit, in their order; the flexible one gets what is left.
struct Widths {
    std::vector<std::size_t> columns;  // 0: left out
};
Widths widths_of(const TopTable& table, std::size_t width) {
    Widths out{std::vector<std::size_t>(table.headings.size())};
    for (std::size_t c = 0; c < table.headings.size(); ++c) {
        out.columns[c] = display_width(table.headings[c]);
        for (const TopRow& row : table.rows)
            if (c < row.cells.size())
                out.columns[c] = std::max(out.columns[c], display_width(row.cells[c].text));
    }
    const auto total = [&] {
        std::size_t sum = 0;
        for (const std::size_t column : out.columns)
            sum += column > 0 ? column + kBetween : 0;
        return sum;
    };
    if (table.flexible >= out.columns.size()) return out;
    std::size_t& flexible = out.columns[table.flexible];
    const std::size_t wanted = std::min(flexible, kLeastFlexible);
    // The last columns are left out until the flexible one has room.
    for (std::size_t c = out.columns.size(); c-- > 0;) {
        if (total() - flexible + wanted <= width) break;
        if (c != table.flexible) out.columns[c] = 0;
    }
    const std::size_t others = total() - flexible;
    flexible = std::min(flexible, width > others ? width - others : std::size_t{1});
    return out;
}

TopLine row_line(const TopTable& table, const Widths& widths, const TopRow& row) {
    TopLine line;
    for (std::size_t c = 0; c < table.headings.size(); ++c) {
        const std::size_t width = widths.columns[c];
        if (width == 0) continue;
        const TopCell cell = c < row.cells.size() ? row.cells[c] : TopCell{};
        const std::string text = cut(steer::safe_text(cell.text, std::string::npos), width);
        const std::string blanks(width - std::min(width, display_width(text)), ' ');
        if (cell.number) line.spans.emplace_back(Style::plain, blanks);
        line.spans.emplace_back(cell.style, text);
        line.spans.emplace_back(Style::plain,
                                (cell.number ? "" : blanks) + std::string(kBetween, ' '));
    }
    return line;
}

TopLine heading_line(const TopTable& table, const Widths& widths,
                     std::optional<std::size_t> sorted_by) {
    TopLine line;
    for (std::size_t c = 0; c < table.headings.size(); ++c) {
        const std::size_t width = widths.columns[c];
        if (width == 0) continue;
        const std::string text = cut(table.headings[c], width);
        const std::string blanks(width - std::min(width, display_width(text)), ' ');
        const bool is_number = std::ranges::any_of(table.rows, [c](const TopRow& row) {
            return c < row.cells.size() && row.cells[c].number.has_value();
        });
        line.spans.emplace_back(c == sorted_by ? Style::heading : Style::faint,
                                is_number ? blanks + text : text + blanks);
        line.spans.emplace_back(Style::plain, std::string(kBetween, ' '));
    }
    return line;
}

// The heading and at most `height` - 1 rows, `first` being the first of them.
std::vector<TopLine> table_lines(const TopTable& table, std::size_t width, std::size_t height,
                                 std::size_t first, std::optional<std::size_t> selected,
                                 std::optional<std::size_t> sorted_by = {}) {
    std::vector<TopLine> lines;
    const Widths widths = widths_of(table, width);
    lines.push_back(heading_line(table, widths, sorted_by));
    for (std::size_t r = first; r < table.rows.size() && lines.size() < height; ++r) {
        lines.push_back(row_line(table, widths, table.rows[r]));
        lines.back().is_selected = r == selected;
    }
    if (table.rows.empty()) lines.push_back(line_of(styled(Style::faint, table.empty)));
    if (lines.size() > height) lines.resize(height);
    return lines;
}

std::vector<TopLine> overview_lines(const TopModel& model, const TopView& view, std::size_t width,
                                    std::size_t height) {
    constexpr TopPage kStacked[] = {TopPage::ends, TopPage::upstreams, TopPage::routers};
    std::vector<TopLine> lines;
    // Names and clients share the last part, side by side, of at least a quarter.
    const std::size_t part = std::max<std::size_t>(height / 4, 2);
    std::size_t section = 0;
    for (const TopPage page : kStacked) {
        const TopTable table = sorted(model, view, page);
        const std::size_t rows = std::max<std::size_t>(table.rows.size(), 1) + 1;
        auto more = table_lines(table, width, std::min(part, rows), 0, {});
        more.front().is_selected = view.selected == section++;
        lines.insert(lines.end(), more.begin(), more.end());
    }
    const std::size_t left = height > lines.size() ? height - lines.size() : 0;
    const std::size_t half = (width - std::min<std::size_t>(width, kBetween)) / 2;
    auto names = table_lines(sorted(model, view, TopPage::names), half, left, 0, {});
    auto clients = table_lines(sorted(model, view, TopPage::clients), half, left, 0, {});
    for (std::size_t i = 0; i < std::max(names.size(), clients.size()); ++i) {
        TopLine line = i < names.size() ? names[i] : TopLine{};
        fit(line, half + kBetween, true);
        if (i < clients.size()) append(line, clients[i]);
        line.is_selected = i == 0 && (view.selected == section || view.selected == section + 1);
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<TopLine> detail_lines(const TopModel& model, const TopView& view) {
    std::vector<TopLine> lines;
    lines.push_back(line_of(styled(Style::heading, steer::safe_text(view.key, std::string::npos))));
    const auto details = model.detail(view.page, view.key);
    for (std::size_t i = std::min(view.scrolled, details.size()); i < details.size(); ++i)
        lines.push_back(line_of(details[i]));
    return lines;
}

TopLine tabs(const TopView& view) {
    TopLine line;
    if (view.is_paused) line.spans.emplace_back(Style::warning, "stopped ");
    for (std::size_t i = 0; i < kTopPages.size(); ++i) {
        const bool is_this = i == index_of(view.page);
        line.spans.emplace_back(is_this ? Style::heading : Style::faint,
                                (is_this ? "[" : " ") + std::to_string(i + 1) + " " +
                                    std::string(kTopPages[i]) + (is_this ? "]" : " "));
    }
    return line;
}

// Where the selected row is now: it moves with the order of the rows.
std::size_t place_of(const TopTable& table, const TopView& view) {
    const auto row = std::ranges::find(table.rows, view.key, &TopRow::key);
    if (!view.key.empty() && row != table.rows.end())
        return static_cast<std::size_t>(row - table.rows.begin());
    return std::min(view.selected, table.rows.empty() ? 0 : table.rows.size() - 1);
}

void select(TopView& view, const TopTable& table, std::size_t place) {
    view.selected = table.rows.empty() ? 0 : std::min(place, table.rows.size() - 1);
    view.key = table.rows.empty() ? "" : table.rows[view.selected].key;
}

void go_to(TopView& view, TopPage page) {
    view.page = page;
    view.is_detail = view.has_help = false;
    view.selected = view.scrolled = 0;
    view.key.clear();
}

std::size_t moved(std::size_t place, TopKey key, std::size_t last) {
    if (key == TopKey::up) return place > 0 ? place - 1 : 0;
    if (key == TopKey::down) return std::min(place + 1, last);
    if (key == TopKey::page_up) return place > kPageStep ? place - kPageStep : 0;
    if (key == TopKey::page_down) return std::min(place + kPageStep, last);
    if (key == TopKey::first) return 0;
    return key == TopKey::last ? last : place;
}

// Keys that do the same on each page; false: it is another one.
bool press_anywhere(TopView& view, TopKey key, std::size_t number) {
    const std::size_t pages = kTopPages.size();
    const auto page_after = [&](std::size_t step) {
        return static_cast<TopPage>((index_of(view.page) + step) % pages);
    };
    if (key == TopKey::help) {
        view.has_help = true;
    } else if (key == TopKey::pause) {
        view.is_paused = !view.is_paused;
    } else if (key == TopKey::page) {
        if (number < pages) go_to(view, static_cast<TopPage>(number));
    } else if (key == TopKey::next_page) {
        go_to(view, page_after(1));
    } else if (key == TopKey::previous_page) {
        go_to(view, page_after(pages - 1));
    } else if (key == TopKey::back && view.is_detail) {
        view.is_detail = false;
    } else if (key == TopKey::back) {
        go_to(view, TopPage::overview);
    } else {
        return false;
    }
    return true;
}

void change_sort(TopView& view, const TopTable& table, TopKey key) {
    TopView::Sort& sort = view.sorts[index_of(view.page)];
    if (key == TopKey::reverse) {
        sort.is_reversed = !sort.is_reversed;
        return;
    }
    if (table.headings.empty()) return;
    const std::size_t columns = table.headings.size();
    const std::size_t now = sort.is_chosen ? sort.column : table.sorted_by;
    sort.column = (now + (key == TopKey::sort_right ? 1 : columns - 1)) % columns;
    sort.is_chosen = true;
}

}  // namespace

bool press(TopView& view, const TopModel& model, TopKey key, std::size_t number) {
    if (key == TopKey::quit) return false;
    if (key == TopKey::none) return true;
    if (view.has_help) {
        view.has_help = false;
        if (key != TopKey::page) return true;
    }
    if (press_anywhere(view, key, number)) return true;
    if (view.is_detail) {
        const std::size_t lines = model.detail(view.page, view.key).size();
        view.scrolled = moved(view.scrolled, key, lines > 0 ? lines - 1 : 0);
        return true;
    }
    if (view.page == TopPage::overview) {
        view.selected = moved(view.selected, key, index_of(kLastSection) - 1);
        if (key == TopKey::open) go_to(view, static_cast<TopPage>(view.selected + 1));
        return true;
    }
    const TopTable table = sorted(model, view, view.page);
    if (key == TopKey::sort_left || key == TopKey::sort_right || key == TopKey::reverse) {
        change_sort(view, table, key);
        return true;
    }
    const std::size_t last = table.rows.empty() ? 0 : table.rows.size() - 1;
    select(view, table, moved(place_of(table, view), key, last));
    if (key == TopKey::open && !table.rows.empty()) {
        view.is_detail = true;
        view.scrolled = 0;
    }
    return true;
}

std::vector<TopLine> draw(const TopModel& model, const TopView& view, std::size_t width,
                          std::size_t height) {
    std::vector<TopLine> lines;
    for (const std::string& line : model.head())
        lines.push_back(line_of(line));
    lines.push_back(tabs(view));
    const std::size_t body = height > lines.size() + 1 ? height - lines.size() - 1 : 0;
    std::vector<TopLine> more;
    if (view.has_help) {
        for (const std::string_view line : kHelp)
            more.push_back(line_of(line));
    } else if (view.is_detail) {
        more = detail_lines(model, view);
    } else if (view.page == TopPage::overview) {
        more = overview_lines(model, view, width, body);
    } else {
        const TopTable table = sorted(model, view, view.page);
        const std::size_t place = place_of(table, view);
        const std::size_t rows = body > 1 ? body - 1 : 1;
        const TopView::Sort& sort = view.sorts[index_of(view.page)];
        more = table_lines(table, width, body, place < rows ? 0 : place - rows + 1, place,
                           sort.is_chosen ? sort.column : table.sorted_by);
    }
    more.resize(body);
    lines.insert(lines.end(), more.begin(), more.end());
    lines.push_back(line_of(styled(Style::faint, kHelpLine)));
    if (lines.size() > height) {
        lines.resize(height);
        if (height > 0) lines.back() = line_of(styled(Style::faint, kHelpLine));
    }
    for (TopLine& line : lines)
        fit(line, width, line.is_selected);
    return lines;
}

std::string plain_text(const TopModel& model) {
    std::string out;
    for (const std::string& line : model.head())
        out += line + "\n";
    for (std::size_t i = 1; i < kTopPages.size(); ++i) {
        const TopTable rows = sorted(model, {}, static_cast<TopPage>(i));
        out += "\n" + styled(Style::heading, kTopPages[i]) + "\n";
        Table table;
        for (const TopRow& row : rows.rows) {
            std::vector<std::string> cells;
            cells.reserve(row.cells.size());
            for (const TopCell& cell : row.cells)
                cells.push_back(styled(cell.style, cell.text));
            table.row(std::move(cells));
        }
        if (rows.rows.empty()) {
            out += "  " + rows.empty + "\n";
            continue;
        }
        table.headings(rows.headings);
        out += table.text();
    }
    return out;
}

}  // namespace steerctl
