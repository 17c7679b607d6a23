#include "table.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <span>
#include <string_view>

#include "matchers/safe_text.h"
#include "screen.h"

namespace steerctl {
namespace {

constexpr std::size_t kIndent = 2, kGap = 2;
constexpr std::size_t kLeastText =
    20;                                // columns that a column of text keeps in a table of one part
constexpr std::size_t kLeastPart = 8;  // in a part

// Digits with an optional sign and fraction; "-" (nothing known) goes along with its column.
bool is_number(std::string_view word) {
    if (word.starts_with('-') && word.size() > 1) word.remove_prefix(1);
    return word == "-" ||
           (!word.empty() && word.find_first_not_of("0123456789.") == std::string_view::npos &&
            word.find('.') == word.rfind('.') && word != ".");
}

bool is_unit(std::string_view word) {
    constexpr std::string_view kUnits[] = {"%",  "d",  "h",     "min", "s",   "ms",
                                           "us", "ns", "bytes", "KiB", "MiB", "GiB"};
    return std::ranges::find(kUnits, word) != std::end(kUnits);
}

// A number, or numbers with their units: "12.5 %", "1 min 5 s".
bool is_quantity(std::string_view cell) {
    if (is_number(cell)) return true;
    bool wants_number = true;
    for (;;) {
        const auto blank = cell.find(' ');
        const std::string_view word = cell.substr(0, blank);
        if (wants_number ? !is_number(word) : !is_unit(word)) return false;
        wants_number = !wants_number;
        if (blank == std::string_view::npos) return wants_number;
        cell.remove_prefix(blank + 1);
    }
}

// Lines of at most `width` columns, broken at blanks where there are some.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (display_width(text) > width) {
        std::size_t end = cut(text, width + 1).size();
        end = end > 3 ? end - std::string_view("…").size()
                      : steer::whole_characters(text, 1).size();  // what fits, without "…"
        const auto blank = text.rfind(' ', end);
        const std::size_t kept = blank == std::string_view::npos || blank == 0 ? end : blank;
        lines.emplace_back(text.substr(0, kept));
        text.remove_prefix(std::min(text.size(), kept));
        if (text.starts_with(' ')) text.remove_prefix(1);
    }
    lines.emplace_back(text);
    return lines;
}

}  // namespace

void Table::headings(std::vector<std::string> cells) {
    rows_.insert(rows_.begin(), std::move(cells));
    has_headings_ = true;
}

std::vector<Table::Column> Table::columns() const {
    std::vector<Column> columns;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        const auto& cells = rows_[r];
        if (columns.size() < cells.size()) columns.resize(cells.size());
        for (std::size_t c = 0; c < cells.size(); ++c) {
            const std::string_view cell = without_mark(cells[c]).text;
            columns[c].width = std::max(columns[c].width, display_width(cell));
            if (has_headings_ && r == 0) continue;
            // Without headings a column may say what another one counts: plain numbers only.
            const bool fits = has_headings_ ? is_quantity(cell) : is_number(cell);
            columns[c].is_number = columns[c].is_number && fits;
            columns[c].has_values = columns[c].has_values || cell != "-";
        }
    }
    for (Column& column : columns)
        column.is_number = column.is_number && column.has_values;
    return columns;
}

bool Table::shrink(std::vector<Column>& columns, const Places& places, std::size_t least) {
    if (screen().width == 0) return true;
    std::size_t total = kIndent + kGap * (places.size() - 1);
    for (const std::size_t place : places)
        total += columns[place].width;
    while (total > screen().width) {
        Column* widest = nullptr;
        for (const std::size_t place : places) {
            Column& column = columns[place];
            const bool may = !column.is_number && column.width > least;
            if (may && (widest == nullptr || column.width > widest->width)) widest = &column;
        }
        if (widest == nullptr) return false;
        --widest->width;
        --total;
    }
    return true;
}

std::string Table::text() const {
    std::vector<Column> widths = columns();
    Places all(widths.size());
    std::iota(all.begin(), all.end(), 0U);
    if (all.empty()) return {};
    std::vector<Column> tried = widths;
    if (shrink(tried, all, kLeastText)) return text_of(tried, all);
    // In parts, each with the first column.
    std::string out;
    Places part{0};
    std::size_t total = kIndent + widths[0].width;
    for (std::size_t c = 1; c <= all.size(); ++c) {
        const std::size_t more = c < all.size() ? kGap + widths[c].width : screen().width;
        if (part.size() > 1 && total + more > screen().width) {
            shrink(widths, part, kLeastPart);
            out += text_of(widths, part);
            part = {0};
            total = kIndent + widths[0].width;
        }
        part.push_back(c);
        total += more;
    }
    return out;
}

std::string Table::text_of(const std::vector<Column>& widths, const Places& places) const {
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        const auto& cells = rows_[r];
        const bool is_heading = has_headings_ && r == 0;
        std::string line(kIndent, ' '), below;
        std::size_t at = kIndent;
        for (const std::size_t c : places) {
            if (c >= cells.size()) break;
            const auto [style, text] = without_mark(cells[c]);
            const Column& column = widths[c];
            std::string shown;
            if (c + 1 == widths.size() && display_width(text) > column.width) {
                const auto lines = wrapped(text, column.width);
                shown = lines.front();
                for (const std::string& more : std::span(lines).subspan(1))
                    below += std::string(at, ' ') + styled(style, more) + "\n";
            } else {
                shown = cut(text, column.width);
            }
            const std::string blanks(column.width - std::min(column.width, display_width(shown)),
                                     ' ');
            shown = styled(is_heading ? Style::faint : style, shown);
            if (c != places.front()) line += std::string(kGap, ' ');
            line += column.is_number ? blanks + shown : shown + blanks;
            at += column.width + kGap;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n" + below;
    }
    return out;
}

}  // namespace steerctl
