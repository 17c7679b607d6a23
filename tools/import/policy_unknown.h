// The types of plugins, rules and keys in a configuration of ForgeDNS, OxiDNS or mosdns that our
// parser does not know. They are left out with a note, and so is everything that depends on them.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "tools/import/policy_tree.h"

namespace steer::importing {

class PolicyUnknown {
  public:
    using NoteTo = std::function<void(int line, std::string text)>;

    // `plugins`: the list, or nullptr.
    explicit PolicyUnknown(const Tree* plugins);

    // Returns why the plugin is left out; empty if it stays.
    [[nodiscard]] std::string why_no_plugin(const Tree& plugin) const;
    [[nodiscard]] std::string why_no_exec(std::string_view words) const;
    [[nodiscard]] std::string why_no_matches(const Tree& rule) const;

    // Removes unknown keys from a map, and references to removed plugins from its lists.
    void clean(Tree& map, std::string_view where, const std::string& owner,
               const NoteTo& note) const;
    // Does the same for a plugin's arguments and their parts.
    void clean_args(Tree& args, std::string_view type, const std::string& owner,
                    const NoteTo& note) const;

  private:
    [[nodiscard]] bool is_gone(std::string_view tag) const;
    [[nodiscard]] std::string why_no_match(std::string_view words) const;
    // Returns a removed plugin that this one depends on; empty if there is none.
    [[nodiscard]] std::string needs(const Tree& plugin) const;
    void clean_list(Tree& list, std::string_view key, const std::string& owner,
                    const NoteTo& note) const;

    std::set<std::string, std::less<>> tags_, gone_;
};

}  // namespace steer::importing
