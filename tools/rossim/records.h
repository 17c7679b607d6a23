// The router's other menus as plain ordered tables of text: enough for clients that look at a
// router before they trust it (identity, service, user, routing table, mangle, route, nd).
// Attribute names are RouterOS's own; an unknown one is refused; a value that must name a row of
// another table is checked. Nothing here has an effect on traffic.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/rossim/query.h"
#include "tools/rossim/router.h"
#include "tools/rossim/sentence.h"

namespace rossim {

// One row of any menu, in printing order; values that are absent are not in it.
class Record : public Properties {
  public:
    std::uint64_t id = 0;  // 0: the menu has one unnumbered row
    Attributes values;

    std::optional<std::string_view> property(std::string_view name,
                                             std::string& scratch) const override;
    void set(std::string_view name, std::string_view value);  // an empty value removes
};

constexpr std::size_t kMaxScriptBytes = 64U << 10;
constexpr std::size_t kMaxFileBytes = 60U << 10;

// `fixed`: rows that can be set, but not added or removed.
enum class Access : std::uint8_t { table, settings, fixed, read_only };

// What versions have which arguments is what routers said of themselves (their console's tree, 7.9 to 7.24).
struct Argument {
    std::string_view name;
    std::string_view initial = {};     // what a new row has if not told otherwise
    std::string_view must_be_in = {};  // the menu whose row it must name
    std::size_t max_bytes = 1U << 20;
    Version since{0, 0}, until{99, 0};
    bool is_required = false;  // by `add`
};

struct MenuSchema {
    std::string_view path;
    Access access;
    std::vector<Argument> arguments;
};

class Records {
  public:
    // The changed row; nullptr: it was removed.
    using Told = std::function<void(std::string_view menu, std::uint64_t id, const Record* row)>;

    Records(const Options& options, Told told);

    bool has_menu(std::string_view path) const { return find(path) != nullptr; }
    bool has_verb(std::string_view path, std::string_view verb) const;
    // Whether the path is a menu or leads to one.
    bool has_menu_below(std::string_view path) const;
    // By id or by its property `name`; nullptr: there is none.
    const Record* find_named(std::string_view path, std::string_view number) const;
    const std::vector<Record>& rows(std::string_view path) const;
    // `add` returns the id; the others nothing. Throws Trap.
    std::optional<std::string> change(const Sentence& sentence);
    // What the router itself does to a table: a new row, or with `.id` a change (an empty value removes a property), or with
    // `.dead` its end. The row's id. Throws Trap.
    std::uint64_t put(std::string_view path, const Attributes& attributes);

  private:
    struct Menu {
        const MenuSchema* schema;
        std::vector<Record> rows;
        std::uint64_t last_id = 0;
    };

    const Argument* find_argument(const MenuSchema& schema, std::string_view name) const;
    std::string printed(const Argument& argument, std::string_view value) const;
    void check_unique(const Menu& menu, std::string_view interface, const Record* self) const;
    const Menu* find(std::string_view path) const;
    Menu* find(std::string_view path);
    void append(std::string_view path, Attributes values);
    void fill(const Options& options);
    void check(const Menu& menu, const Sentence& sentence) const;
    std::string add(Menu& menu, const Sentence& sentence);
    void set(Menu& menu, Record& row, const Sentence& sentence) const;

    Version version_;
    Told told_;
    std::vector<Menu> menus_;
};

}  // namespace rossim
