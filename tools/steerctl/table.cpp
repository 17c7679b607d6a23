#include "table.h"

#include <algorithm>
#include <string_view>

namespace steerctl {
namespace {

// Digits with an optional fraction; "-" (nothing known) goes along with its column.
bool is_number(std::string_view cell) {
    return cell == "-" ||
           (!cell.empty() && cell.find_first_not_of("0123456789.") == std::string_view::npos &&
            cell.find('.') == cell.rfind('.'));
}

struct Column {
    std::size_t width = 0;
    bool numbers = true;
};

}  // namespace

std::string Table::text() const {
    std::vector<Column> columns;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        const auto& cells = rows_[r];
        if (columns.size() < cells.size()) columns.resize(cells.size());
        for (std::size_t c = 0; c < cells.size(); ++c) {
            columns[c].width = std::max(columns[c].width, cells[c].size());
            const bool heading = r == 0 && rows_.size() > 1;
            if (!heading && !is_number(cells[c])) columns[c].numbers = false;
        }
    }
    std::string out;
    for (const auto& cells : rows_) {
        std::string line = "  ";
        for (std::size_t c = 0; c < cells.size(); ++c) {
            const std::string blanks(columns[c].width - cells[c].size(), ' ');
            if (c > 0) line += "  ";
            line += columns[c].numbers ? blanks + cells[c] : cells[c] + blanks;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

}  // namespace steerctl
