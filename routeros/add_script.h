// Adds many rows with one sentence: a script of guarded adds for `/execute as-string` of RouterOS
// 7.
//
// Each add prints a line: its number and the new row's id, or `!` if the router refused it. So each
// result is known. A row without a line is unknown: it may exist. MikroTik's scripting manual says
// that `add` returns an id, `:put` prints a line and `on-error` runs on failure. as-string returns
// the output in `=ret=` (seen on 7.18 and 7.23).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/commands.h"

namespace steer::routeros {

// Largest source that routers are known to accept.
inline constexpr std::size_t kMaxScriptBytes = 32'000;

// These bytes as a quoted string of the script language. No value if they include a NUL.
std::optional<std::string> script_string(std::string_view text);

class AddScript {
  public:
    explicit AddScript(Table table) : table_(table) {}

    // Returns false, without a change, if the row does not fit or cannot be expressed.
    bool add(std::string_view group, const Address& address, std::string_view comment,
             const RowValues& values);
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] Command command() const;

  private:
    Table table_;
    std::string source_;
    std::size_t rows_ = 0;
};

struct AddResult {
    enum class Kind : std::uint8_t { unknown, refused, added };
    Kind kind = Kind::unknown;
    RowId row = 0;  // the added row
};

// The results of `adds` adds, from the script's output.
std::vector<AddResult> parse_add_output(std::string_view output, std::size_t rows);

}  // namespace steer::routeros
