// Rows of text in columns. Columns of numbers and quantities are aligned to the right.
//
// On a terminal a table fits its width (screen.h): the last column is wrapped if it is text, and
// other columns of text are cut. If that is not enough, the remaining columns follow in a second
// part. Numbers are not cut. Without a terminal, each column is as wide as its widest cell.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace steerctl {

class Table {
  public:
    void headings(std::vector<std::string> cells);
    // Adds a row. Cells may be styled as a whole (styled() of screen.h).
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }

    // Returns lines that begin with two blanks and end with a newline, without blanks at the end.
    [[nodiscard]] std::string text() const;

  private:
    struct Column {
        std::size_t width = 0;  // in columns of the terminal
        bool is_number = true, has_values = false;
    };
    using Places = std::vector<std::size_t>;  // of columns
    [[nodiscard]] std::vector<Column> columns() const;
    // Narrows columns of text, down to `least`, until those of `places` fit. Returns false if they
    // do not fit.
    static bool shrink(std::vector<Column>& columns, const Places& places, std::size_t least);
    [[nodiscard]] std::string text_of(const std::vector<Column>& widths,
                                      const Places& places) const;

    std::vector<std::vector<std::string>> rows_;  // the first may contain the headings
    bool has_headings_ = false;
};

}  // namespace steerctl
