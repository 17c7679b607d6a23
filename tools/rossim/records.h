// The router's other menus as plain ordered tables of text. Menus, commands and arguments are those
// of the version (schema.h). A flag must be yes or no, and some values must name a row of another
// table; other values are stored unchecked. Nothing here affects traffic.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/rossim/query.h"
#include "tools/rossim/router.h"
#include "tools/rossim/routes.h"
#include "tools/rossim/schema.h"
#include "tools/rossim/sentence.h"

namespace rossim {

// One row of any menu, in printing order, without absent values.
class Record : public Properties {
  public:
    std::uint64_t id = 0;  // 0: the menu has one unnumbered row
    Attributes values;
    Attributes secrets;  // write-only

    std::optional<std::string_view> property(std::string_view name,
                                             std::string& scratch) const override;
    void set(std::string_view name, std::string_view value);  // an empty value removes the property
};

constexpr std::size_t kMaxScriptBytes = 64U << 10;
constexpr std::size_t kMaxFileBytes = 60U << 10;
constexpr std::size_t kMaxPropertyBytes = 1U << 20;

class Records {
  public:
    // Reports an add, set or remove, with the row after it (for a remove: before it).
    using Observer = std::function<void(std::string_view menu, Change change, const Record& row)>;

    Records(const Options& options, Observer observer);

    const Schema& schema() const { return schema_; }
    // Returns whether the tables simulate the command; others are refused as not simulated.
    static bool carries_out(std::string_view verb);
    // Returns a user as /user and /user/group define it; nothing if the user is unknown or
    // disabled.
    std::optional<User> user(std::string_view name) const;
    // Finds a row by id or by its property `name`; nullptr if there is none.
    const Record* find_named(std::string_view path, std::string_view number) const;
    const std::vector<Record>& rows(std::string_view path) const;
    // Executes the sentence. `add` returns the id, the others nothing. Throws Trap.
    std::optional<std::string> change(const Sentence& sentence);
    // Changes a table as the router itself does: adds a row, with `.id` changes it (an empty value
    // removes a property), with `.dead` removes it. Returns the row's id. Throws Trap.
    std::uint64_t put(std::string_view path, const Attributes& attributes);
    // Sets whether a gateway is reachable, which changes the flags of its routes.
    void set_gateway(const std::string& gateway, bool is_reachable);
    // Removes the routes of the router itself; the others may get other ids.
    void reboot();

  private:
    struct Menu {
        std::string path;
        std::vector<Record> rows;
        std::uint64_t last_id = 0;
    };

    std::string printed(std::string_view menu, std::string_view name, std::string_view value) const;
    void check_unique(const Menu& menu, std::string_view interface, const Record* self) const;
    void check_required(const Menu& menu, const Sentence& sentence) const;
    const Menu* find(std::string_view path) const;
    Menu* find(std::string_view path);
    void append(std::string_view path, Attributes values);
    void fill(const Options& options);
    void check(const Menu& menu, const Sentence& sentence) const;
    static std::vector<Record>::iterator place_of(Menu& menu, const std::string* before);
    std::string add(Menu& menu, const Sentence& sentence);
    void set(const Menu& menu, Record& row, const Sentence& sentence) const;
    static void move(Menu& menu, const Sentence& sentence);

    void finish_route(const Menu& menu, Record& row) const;

    const Options& options_;
    Version version_;
    Schema schema_;
    Routes routes_;
    Observer observer_;
    std::map<std::string, Menu, std::less<>> menus_;
};

}  // namespace rossim
