// Many rows in one sentence: a script of guarded adds for `/execute as-string`, which RouterOS 7
// has.
//
// Each add puts a line: its number and the new row's id, or `!` where the router refused it, so
// that what became of each is known. What a reply does not say of a row is unknown: the row may be
// there. That `add` gives its id, `:put` a line and `on-error` what failed is as MikroTik's manual
// of scripting says; as-string gives what was put in `=ret=` (found in use on 7.18 and 7.23).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/commands.h"

namespace steer::routeros {

// Of a source that routers are known to take.
inline constexpr std::size_t kMostScriptBytes = 32'000;

// A string of the script language, in quotes, that stands for these bytes; nothing if they have a
// NUL among them.
std::optional<std::string> script_string(std::string_view text);

class AddScript {
  public:
    explicit AddScript(Menu menu) : menu_(menu) {}

    // False, and as before, if the row does not fit or cannot be said. `timeout_s` 0: no timeout.
    bool add(std::string_view list, const Address& address, std::string_view comment,
             std::uint32_t timeout_s);
    [[nodiscard]] std::size_t rows() const { return rows_; }
    [[nodiscard]] Command command() const;

  private:
    Menu menu_;
    std::string source_;
    std::size_t rows_ = 0;
};

struct AddResult {
    enum class Kind : std::uint8_t { unknown, refused, added };
    Kind kind = Kind::unknown;
    RowId row = 0;  // added
};

// What the output of a script of so many adds says of each.
std::vector<AddResult> parse_add_output(std::string_view output, std::size_t rows);

}  // namespace steer::routeros
