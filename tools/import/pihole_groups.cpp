#include "tools/import/pihole_groups.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>
#include <utility>

#include "tools/import/adguardhome_words.h"
#include "tools/import/filter_rule.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostRows = 1'000'000;
using Groups = std::set<std::int64_t>;

// A row of a table: numbers may be texts, as in PHP's JSON.
class TableRow {
  public:
    TableRow(const json::object& row, std::string place) : row_(row), place_(std::move(place)) {}
    [[nodiscard]] std::string text(std::string_view key) const {
        const json::value* const at = row_.if_contains(key);
        if (at == nullptr || !at->is_string()) return {};
        return std::string(at->get_string());
    }
    [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t otherwise) const {
        const json::value* const at = row_.if_contains(key);
        if (at == nullptr) return otherwise;
        if (at->is_int64()) return at->get_int64();
        if (at->is_bool()) return at->get_bool() ? 1 : 0;
        if (!at->is_string()) return otherwise;
        const auto value = parse_number(std::string_view(at->get_string()), 0x7fff'ffff);
        return value ? static_cast<std::int64_t>(*value) : otherwise;
    }
    [[nodiscard]] bool enabled() const { return number("enabled", 1) != 0; }
    [[nodiscard]] const std::string& place() const { return place_; }

  private:
    const json::object& row_;
    std::string place_;
};

class TableImport {
  public:
    TableImport(const PiholeTables& tables, BlockerModel& model,
                const std::function<bool(const std::string&)>& is_file)
        : tables_(tables), m_(model), is_file_(is_file) {}

    void read() {
        rows(tables_.group, "group.json", [this](const TableRow& row) {
            const std::int64_t id = row.number("id", -1);
            names_[id] = row.text("name");
            if (!row.enabled()) off_.insert(id);
        });
        const auto list_groups =
            links(tables_.adlist_by_group, "adlist_by_group.json", "adlist_id");
        const auto domain_groups =
            links(tables_.domainlist_by_group, "domainlist_by_group.json", "domainlist_id");
        const auto client_groups =
            links(tables_.client_by_group, "client_by_group.json", "client_id");
        rows(tables_.adlist, "adlist.json",
             [&](const TableRow& row) { list(row, groups_of(row, list_groups)); });
        const auto domains = [&](std::string_view text, const char* file, std::int64_t type) {
            rows(text, file, [&, type](const TableRow& row) {
                domain(row, row.number("type", type), groups_of(row, domain_groups));
            });
        };
        domains(tables_.domainlist, "domainlist.json", 1);
        domains(tables_.allow_exact, "whitelist.exact.json", 0);
        domains(tables_.block_exact, "blacklist.exact.json", 1);
        domains(tables_.allow_regex, "whitelist.regex.json", 2);
        domains(tables_.block_regex, "blacklist.regex.json", 3);
        m_.everyone = set_of({0});
        std::map<Groups, ClientGroup> clients;
        rows(tables_.client, "client.json",
             [&](const TableRow& row) { client(row, groups_of(row, client_groups), clients); });
        // Clients of the default group matter only beside wider addresses of other groups.
        const bool only_default = clients.size() == 1 && clients.begin()->first == Groups{0};
        if (only_default) return;
        for (auto& [groups, made] : clients)
            add_group(groups, std::move(made));
    }

  private:
    void note(const TableRow& row, std::string text) {
        m_.notes.push_back({row.place(), std::move(text)});
    }

    template <class Visit>
    void rows(std::string_view text, const std::string& file, Visit visit) {
        if (trimmed(text).empty()) return;
        boost::system::error_code error;
        json::value parsed = json::parse(to_utf8(text), error);
        if (error || !parsed.is_array()) {
            m_.notes.push_back({"", file + " is not imported: expected a list of objects in JSON"});
            return;
        }
        std::size_t number = 0;
        for (const json::value& item : parsed.get_array()) {
            if (++number > kMostRows) return;
            if (item.is_object())
                visit(TableRow(item.get_object(), "row " + std::to_string(number) + " of " + file));
        }
    }

    std::map<std::int64_t, Groups> links(std::string_view text, const std::string& file,
                                         std::string_view key) {
        std::map<std::int64_t, Groups> out;
        rows(text, file, [&](const TableRow& row) {
            out[row.number(key, -1)].insert(row.number("group_id", 0));
        });
        return out;
    }

    // Without a table of groups, everything belongs to the default group.
    static Groups groups_of(const TableRow& row, const std::map<std::int64_t, Groups>& all) {
        const auto at = all.find(row.number("id", -1));
        if (at != all.end()) return at->second;
        return all.empty() ? Groups{0} : Groups{};
    }

    void list(const TableRow& row, const Groups& groups) {
        std::string url = row.text("address");
        if (url.starts_with("file://")) url = url.substr(7);
        const bool is_url = !host_of_url("https", url).empty() || !host_of_url("http", url).empty();
        if (!row.enabled()) {
            note(row, "the list " + in_quotes(url) + " is not imported: it is not enabled");
        } else if (!is_url && !(url.starts_with('/') && is_file_(url))) {
            note(row, "the list " + in_quotes(url) +
                          " is not imported: it is not on this machine, and not an http:// or "
                          "https:// URL");
        } else {
            for (const std::int64_t group : groups)
                (row.number("type", 0) == 1 ? sets_[group].allow_lists : sets_[group].lists)
                    .push_back(url);
        }
    }

    void domain(const TableRow& row, std::int64_t type, const Groups& groups) {
        const std::string text = row.text("domain");
        if (!row.enabled()) {
            note(row, "the domain " + in_quotes(text) + " is not imported: it is not enabled");
            return;
        }
        std::string why;
        const std::string rule = type >= 2 ? expression(text, why) : text;
        if (why.empty()) {
            const FilterRule read = read_filter_rule(rule);
            const bool is_one = read.kind == FilterRule::Kind::block && read.rules.size() == 1;
            if (!is_one) why = read.why.empty() ? "it is not a name" : read.why;
        }
        if (!why.empty()) {
            note(row, "the domain " + in_quotes(text) + " is not imported: " + why);
            return;
        }
        for (const std::int64_t group : groups) {
            BlockSet& set = sets_[group];
            if (type == 0 || type == 2) {
                set.allow.push_back(rule);
                set.block.push_back("@@" + rule);
            } else {
                set.block.push_back(rule);
            }
        }
    }

    // An expression with Pi-hole's options behind ';'.
    static std::string expression(const std::string& text, std::string& why) {
        const std::vector<std::string> parts = split_all(text, ';');
        std::string types;
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const std::string option = lowered(trimmed(parts[i]));
            if (!option.starts_with("querytype=")) {
                why = "its option " + in_quotes(parts[i]) + " has no counterpart";
                return {};
            }
            std::string_view names = std::string_view(option).substr(10);
            const bool others = names.starts_with('!');
            if (others) names.remove_prefix(1);
            for (const std::string& name : split(names, ','))
                types += (types.empty() ? "" : "|") + std::string(others ? "~" : "") + name;
        }
        for (char& c : types)
            if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
        return "/" + parts.front() + "/" + (types.empty() ? "" : "$dnstype=" + types);
    }

    // The lists and rules of several groups together.
    BlockSet set_of(const Groups& groups) {
        BlockSet out;
        const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
            for (const std::string& one : from)
                to.push_back(one);
        };
        const auto once = [](std::vector<std::string>& texts) {
            std::set<std::string> seen;
            std::erase_if(texts, [&](const std::string& one) { return !seen.insert(one).second; });
        };
        for (const std::int64_t group : groups) {
            const auto at = sets_.find(group);
            if (at == sets_.end() || off_.contains(group)) continue;
            add(out.lists, at->second.lists);
            add(out.allow_lists, at->second.allow_lists);
            add(out.block, at->second.block);
            add(out.allow, at->second.allow);
        }
        for (auto* const texts : {&out.lists, &out.allow_lists, &out.block, &out.allow})
            once(*texts);
        if (std::ranges::all_of(out.block,
                                [](const std::string& one) { return one.starts_with("@@"); }))
            out.block.clear();
        return out;
    }

    void client(const TableRow& row, const Groups& groups, std::map<Groups, ClientGroup>& clients) {
        const std::string id = row.text("ip");
        ClientGroup& to = clients[groups];
        if (std::string prefix = client_prefix(id); !prefix.empty()) {
            to.prefixes.push_back(std::move(prefix));
        } else if (std::string mac = client_mac(id); !mac.empty()) {
            to.macs.push_back(std::move(mac));
        } else {
            note(row, "the client " + in_quotes(id) +
                          " is not imported: expected an address, a prefix or a MAC address");
        }
    }

    void add_group(const Groups& groups, ClientGroup made) {
        if (made.prefixes.empty() && made.macs.empty()) return;
        made.set = set_of(groups);
        std::vector<std::string> names;
        for (const std::int64_t group : groups) {
            const auto at = names_.find(group);
            names.push_back(at == names_.end() || at->second.empty()
                                ? "group " + std::to_string(group)
                                : at->second);
        }
        const std::string name = names.empty() ? "no group" : join(names, ", ");
        made.name = "Clients of " + in_quotes(name) + ".";
        const std::string tag = group_tag(names.empty() ? "none" : join(names, "_"));
        made.tag = tag;
        for (int i = 2; !tags_.insert(made.tag).second; ++i)
            made.tag = tag + "_" + std::to_string(i);
        m_.groups.push_back(std::move(made));
    }

    const PiholeTables& tables_;
    BlockerModel& m_;
    const std::function<bool(const std::string&)>& is_file_;
    std::map<std::int64_t, std::string> names_;
    Groups off_;
    std::map<std::int64_t, BlockSet> sets_;
    std::set<std::string> tags_{"main", "any", "second"};
};

}  // namespace

void read_pihole_tables(const PiholeTables& tables, BlockerModel& model,
                        const std::function<bool(const std::string&)>& is_file) {
    TableImport(tables, model, is_file).read();
}

}  // namespace steer::importing
