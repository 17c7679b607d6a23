// Rows of text in columns: as wide as their widest cell, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace steerctl {

class Table {
  public:
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }

    // Each line after two blanks and with its end; no blanks at a line's end.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;  // the first may be the headings
};

}  // namespace steerctl
