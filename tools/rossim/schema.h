// Menus, commands and arguments of RouterOS's console by version, as routers reported them
// (schema.json). A few menus that those routers lacked follow the manual (manual_menus.json).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/router.h"

namespace rossim {

// Bit i: the i-th version of schema.json, the oldest first.
using VersionSet = std::uint32_t;

struct SchemaArgument {
    VersionSet versions = 0;
    std::vector<std::string>
        values;  // that the console completes; a router may accept more; empty: not known

    bool is_flag() const;  // no or yes
};

struct SchemaCommand {
    VersionSet versions = 0;
    std::map<std::string, SchemaArgument, std::less<>> arguments;
};

struct SchemaMenu {
    VersionSet versions = 0;
    std::map<std::string, SchemaCommand, std::less<>> commands;
    std::vector<std::string> required;  // arguments that `add` requires
    bool needs_switch_chip = false;     // other devices lack it
};

// The console of one version. A version between two of schema.json uses the older one; a version
// before the first uses the first.
class Schema {
  public:
    explicit Schema(Version version, bool has_switch_chip = false);

    // Returns all menus of all versions, sorted by path.
    static const std::map<std::string, SchemaMenu, std::less<>>& menus();

    const SchemaMenu* menu(std::string_view path) const;  // nullptr: not in this version
    const SchemaCommand* command(std::string_view path, std::string_view name) const;
    const SchemaArgument* argument(std::string_view path, std::string_view command,
                                   std::string_view name) const;
    // Returns whether the path is a menu or contains one.
    bool has_menu_below(std::string_view path) const;
    // Returns whether routers of this version have the path but schema.json lacks its contents.
    bool is_path_only(std::string_view path) const;

  private:
    bool has(VersionSet versions) const { return (versions & mine_) != 0; }
    bool has(const SchemaMenu& menu) const {
        return has(menu.versions) && (has_switch_chip_ || !menu.needs_switch_chip);
    }

    VersionSet mine_;
    bool has_switch_chip_;
};

}  // namespace rossim
