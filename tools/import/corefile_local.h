// Plugins of CoreDNS that answer without an upstream: acl, template, hosts, file, and the authors
// of chaos.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/corefile.h"
#include "tools/import/corefile_servers.h"
#include "tools/import/sheet.h"

namespace steer::importing {

bool is_core_local(std::string_view plugin);

// The block that contains a plugin.
struct CoreScope {
    std::vector<std::string> zones;  // all of them; the root is empty
    std::string root;                // of relative paths (plugin root); empty: not known
    std::string suffix;              // of tags
    FileTest is_there;               // tests for zone files
};

// The plugins of one block, as rules in the order of CoreDNS.
class CoreLocal {
  public:
    // Reads a plugin for which is_core_local() is true.
    void read(const Directive& d, const CoreScope& scope);
    // Reads the answer to authors.bind (class CHAOS).
    void read_authors(const std::vector<std::string>& authors, const CoreScope& scope);
    [[nodiscard]] bool empty() const {
        return access_.empty() && acl_.empty() && templates_.empty() && hosts_.empty() &&
               files_.empty() && tables_.empty() && notes_.empty();
    }

    void write_plugins(Sheet& sheet) const;
    // Writes the rules before the cache: the clients that may ask.
    void write_access(Sheet& sheet) const;
    // Writes the rules after the cache: the answers. Returns true if no query passes them.
    bool write_answers(Sheet& sheet) const;

  private:
    struct Rule {
        std::vector<std::string> matches;
        std::string exec;
    };
    using Rules = std::vector<Rule>;
    // A plugin whose arguments are a list.
    struct Table {
        std::string tag, type, key, origin;
        std::vector<std::string> items;
        bool short_circuit = true;
    };
    struct Template;
    struct Hosts;

    static void write_rule(Sheet& sheet, const Rule& rule);
    void note(const Directive& d, const std::string& why);
    // Returns the plugin's zones; nothing, with a note, if one of them is not a name.
    std::optional<std::vector<std::string>> zones_of(const Directive& d, std::size_t first);

    void read_acl(const Directive& d, const CoreScope& scope);
    // Reads the words after the action. Returns false if the rule is left out.
    bool read_acl_words(const Directive& d, Rule& rule);
    void read_template(const Directive& d, const CoreScope& scope);
    bool read_template_body(const Directive& d, Template& to);
    bool read_template_answer(const Directive& d, const std::string& text, const CoreScope& scope,
                              Template& to);
    void add_template(const Template& from, const CoreScope& scope);
    void read_hosts(const Directive& d, const CoreScope& scope);
    // Returns false if the line has an address.
    bool read_hosts_option(const Directive& d, Hosts& to);
    void read_hosts_line(const Directive& d, Hosts& to);
    void add_hosts(const Hosts& from, const CoreScope& scope);
    void read_file(const Directive& d, const CoreScope& scope);

    std::string acl_tag_;
    Rules access_, acl_, templates_, hosts_, files_;
    std::vector<Table> tables_;
    std::vector<Note> notes_;
    unsigned template_count_ = 0, file_count_ = 0;
    bool has_hosts_ = false;
};

}  // namespace steer::importing
