// Plugins of CoreDNS that answer without an upstream: acl, template, hosts, file, and the authors of chaos.
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

// The block that a plugin stands in.
struct CoreScope {
    std::vector<std::string> zones;  // all of them; the root is empty
    std::string root;                // of relative paths (plugin root); empty: not known
    std::string suffix;              // of tags
    FileTest is_there;               // of zone files
};

// The plugins of one block, as rules in the order in which CoreDNS runs them.
class CoreLocal {
  public:
    // Of a plugin that is_core_local().
    void read(const Directive& d, const CoreScope& scope);
    // What authors.bind answers (class CHAOS).
    void read_authors(const std::vector<std::string>& authors, const CoreScope& scope);
    [[nodiscard]] bool empty() const {
        return access_.empty() && acl_.empty() && templates_.empty() && hosts_.empty() &&
               files_.empty() && tables_.empty() && notes_.empty();
    }

    void write_plugins(Sheet& sheet) const;
    // In front of the cache: who may ask.
    void write_access(Sheet& sheet) const;
    // Behind the cache: the answers. True: no query gets past them.
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
    // Its zones; nothing, with a note: one of them is no name.
    std::optional<std::vector<std::string>> zones_of(const Directive& d, std::size_t first);

    void read_acl(const Directive& d, const CoreScope& scope);
    // The words behind the action; false: the rule is left out.
    bool read_acl_words(const Directive& d, Rule& rule);
    void read_template(const Directive& d, const CoreScope& scope);
    bool read_template_body(const Directive& d, Template& to);
    bool read_template_answer(const Directive& d, const std::string& text, const CoreScope& scope,
                              Template& to);
    void add_template(const Template& from, const CoreScope& scope);
    void read_hosts(const Directive& d, const CoreScope& scope);
    // False: it is a line with an address.
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
