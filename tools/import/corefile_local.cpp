#include "tools/import/corefile_local.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "tools/import/corefile_import.h"
#include "tools/import/corefile_record.h"
#include "tools/import/records.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 4> kLocalNames{"acl", "template", "hosts", "file"};
constexpr std::string_view kNoData = "black_hole nodata short_circuit";

// "KEYdomain:A domain:B" as the only matcher; nothing for every name.
std::vector<std::string> within(const std::vector<std::string>& zones,
                                std::string_view key = "qname") {
    if (zones.empty()) return {};
    std::string out(key);
    for (const std::string& zone : zones)
        out += " domain:" + zone;
    return {out};
}

// Names that the plugin lacks: does their query go on to the next plugin?
struct Fallthrough {
    bool is_written = false;
    std::vector<std::string> zones;  // only of these; empty: of all

    explicit Fallthrough(const Directive& d) {
        for (const Directive& o : d.body) {
            if (o.name != "fallthrough") continue;
            is_written = true;
            for (const std::string& word : o.args) {
                if (const std::string zone = core_zone(word); is_core_name(zone))
                    zones.push_back(zone);
            }
        }
    }
    // The matchers of queries that do not; nothing: all of them go on.
    [[nodiscard]] std::optional<std::vector<std::string>> kept(
        std::vector<std::string> matches) const {
        if (is_written && zones.empty()) return std::nullopt;
        for (std::string& other : within(zones, "!qname"))
            matches.push_back(std::move(other));
        return matches;
    }
};

constexpr std::array<std::string_view, 6> kRcodes{"NOERROR",  "NXDOMAIN", "REFUSED",
                                                  "SERVFAIL", "NOTIMP",   "FORMERR"};

bool ends_program(std::string_view exec) {
    return exec.starts_with("reject ") || exec.ends_with(" short_circuit");
}

// An address, or a prefix.
bool is_prefix(std::string_view text) {
    const auto slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    if (!is_v4(address) && !is_v6(address)) return false;
    return slash == std::string_view::npos ||
           parse_number(text.substr(slash + 1), is_v4(address) ? 32 : 128).has_value();
}

}  // namespace

bool is_core_local(std::string_view plugin) {
    return std::ranges::find(kLocalNames, plugin) != kLocalNames.end();
}

void CoreLocal::note(const Directive& d, const std::string& why) {
    const std::string text = d.args.empty() ? d.name : d.name + " " + join(d.args, " ");
    notes_.push_back({line_place(d.line), in_quotes(text) + " is not imported: " + why});
}

std::optional<std::vector<std::string>> CoreLocal::zones_of(const Directive& d, std::size_t first) {
    std::vector<std::string> out;
    for (std::size_t i = first; i < d.args.size(); ++i) {
        if (d.args[i] == ".") return std::vector<std::string>();
        out.push_back(core_zone(d.args[i]));
        if (is_core_name(out.back())) continue;
        note(d, in_quotes(d.args[i]) + " is not a zone");
        return std::nullopt;
    }
    return out;
}

void CoreLocal::read(const Directive& d, const CoreScope& scope) {
    if (d.name == "acl") {
        read_acl(d, scope);
    } else if (d.name == "template") {
        read_template(d, scope);
    } else if (d.name == "hosts") {
        read_hosts(d, scope);
    } else {
        read_file(d, scope);
    }
}

void CoreLocal::read_authors(const std::vector<std::string>& authors, const CoreScope& scope) {
    Table table{"authors" + scope.suffix, "arbitrary", "rules", "", {}};
    for (const std::string& author : authors)
        table.items.push_back("authors.bind. 0 CH TXT \"" + author + "\"");
    access_.push_back({{"qclass CH"}, "$" + table.tag});
    tables_.push_back(std::move(table));
}

// ---- acl [ZONE...] { allow|block|filter|drop [type TYPE...] [net PREFIX...] }

// The first rule that fits decides; a query that none fits is allowed.
void CoreLocal::read_acl(const Directive& d, const CoreScope& scope) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kActions{
        {{"allow", "return"}, {"block", "reject REFUSED"}, {"filter", kNoData}, {"drop", "drop"}}};
    const auto zones = zones_of(d, 0);
    if (!zones) return;
    acl_tag_ = "acl" + scope.suffix;
    for (const Directive& o : d.body) {
        const auto* const action =
            std::ranges::find(kActions, lowered(o.name), [](const auto& a) { return a.first; });
        if (action == kActions.end()) {
            note(o, "expected allow, block, filter or drop");
            continue;
        }
        Rule rule{within(*zones), std::string(action->second)};
        if (read_acl_words(o, rule)) acl_.push_back(std::move(rule));
    }
}

bool CoreLocal::read_acl_words(const Directive& d, Rule& rule) {
    struct Part {
        std::string words;
        bool is_any = false, is_written = false;
        [[nodiscard]] bool is_lost() const { return is_written && !is_any && words.empty(); }
    };
    Part types, nets;
    Part* to = nullptr;
    for (const std::string& word : d.args) {
        if (const std::string name = lowered(word); name == "type" || name == "net") {
            to = name == "type" ? &types : &nets;
            to->is_written = true;
        } else if (to == nullptr) {
            note(d, in_quotes(word) + " is unknown: expected 'type' or 'net'");
            return false;
        } else if (word == "*") {
            to->is_any = true;
        } else if (to == &types ? is_core_type(word) : is_prefix(word)) {
            to->words += " " + word;
        } else {
            notes_.push_back({line_place(d.line),
                              in_quotes(word) + " of 'acl' is not imported: it is " +
                                  (to == &types ? "no known type" : "no address or prefix")});
        }
    }
    if (types.is_lost() || nets.is_lost()) {
        note(d, "its 'type' or 'net' has no word left");
        return false;
    }
    if (!types.words.empty() && !types.is_any) rule.matches.push_back("qtype" + types.words);
    if (!nets.words.empty() && !nets.is_any) rule.matches.push_back("client_ip" + nets.words);
    return true;
}

// ---- template CLASS TYPE [ZONE...] { match, answer, rcode, fallthrough }

struct CoreLocal::Template {
    std::vector<std::string> zones;
    std::string type;                  // "ANY": all
    std::vector<std::string> matches;  // except the expressions
    std::string expressions;           // " regexp:..." for each
    std::vector<std::string> answers;  // as they are written
    std::string rcode = "NOERROR";
    // What the answers are.
    std::string addresses, ttl;
    std::vector<std::string> records;
};

void CoreLocal::read_template(const Directive& d, const CoreScope& scope) {
    Template made;
    if (d.args.size() < 2) return note(d, "expected CLASS TYPE");
    const std::string klass = lowered(d.args[0]);
    made.type = d.args[1];
    if (klass != "in" && klass != "ch" && klass != "any")
        return note(d, "only the classes IN, CH and ANY are supported");
    if (!is_core_type(made.type)) return note(d, in_quotes(made.type) + " is no known type");
    auto zones = zones_of(d, 2);
    if (!zones) return;
    made.zones = std::move(*zones);
    made.matches = within(made.zones);
    if (klass == "ch") made.matches.emplace_back("qclass CH");
    if (made.type != "ANY") made.matches.push_back("qtype " + made.type);
    if (!read_template_body(d, made)) return;
    for (const std::string& answer : made.answers) {
        if (!read_template_answer(d, answer, scope, made)) return;
    }
    add_template(made, scope);
    if (made.expressions.empty()) return;
    // Names of its zones that no expression finds.
    if (auto matches = Fallthrough(d).kept(made.matches))
        templates_.push_back({std::move(*matches), "reject SERVFAIL"});
}

bool CoreLocal::read_template_body(const Directive& d, Template& to) {
    for (const Directive& o : d.body) {
        if (o.name == "match") {
            for (const std::string& word : o.args) {
                const std::string expression = without_final_dot(word);
                std::string why = expression_error(expression);
                if (why.empty() && std::ranges::any_of(expression, is_blank)) why = "has blanks";
                if (!why.empty()) {
                    note(d, "its expression " + in_quotes(word) + " " + why);
                    return false;
                }
                to.expressions += " regexp:" + expression;
            }
        } else if (o.name == "rcode") {
            to.rcode = o.args.empty() ? "" : o.args.front();
            if (std::ranges::find(kRcodes, to.rcode) != kRcodes.end()) continue;
            note(d, "its response code " + in_quotes(to.rcode) + " is not supported");
            return false;
        } else if (o.name == "answer") {
            to.answers.insert(to.answers.end(), o.args.begin(), o.args.end());
        } else if (o.name == "authority" || o.name == "additional" || o.name == "ederror") {
            notes_.push_back({line_place(o.line), in_quotes(o.name) +
                                                      " of 'template' is not imported: answers "
                                                      "without records have an SOA of their own"});
        } else if (o.name != "fallthrough" && o.name != "upstream") {
            note(o, "this setting is not supported");
        }
    }
    return true;
}

// Addresses for "{{ .Name }}", or records with a name.
bool CoreLocal::read_template_answer(const Directive& d, const std::string& text,
                                     const CoreScope& scope, Template& to) {
    const std::vector<std::string>& zones = to.zones.empty() ? scope.zones : to.zones;
    const auto refuse = [&](const std::string& why) {
        note(d, "its answer " + in_quotes(text) + " " + why);
        return false;
    };
    for (const std::string& zone : zones) {
        const auto filled = fill_core_template(text, zone, to.type);
        if (!filled) return refuse("has variables other than .Name, .Zone, .Class and .Type");
        const CoreRecord record = read_core_record(*filled);
        if (!record.error.empty()) return refuse(record.error);
        if (record.type == "CNAME" && to.type != "CNAME")
            return refuse("is an alias: use a plugin of type redirect");
        if (to.type != "ANY" && record.type != to.type) return refuse("is not of type " + to.type);
        if (record.owner == kAskedName) {
            if (record.type != "A" && record.type != "AAAA")
                return refuse("has no name of its own: only A and AAAA records are supported");
            to.addresses += " " + record.data;
            if (to.ttl.empty()) to.ttl = record.ttl_s;
            break;  // the same for each zone
        }
        if (std::string line = record.text();
            std::ranges::find(to.records, line) == to.records.end())
            to.records.push_back(std::move(line));
    }
    if (to.rcode != "NOERROR") return refuse("has another 'rcode' than NOERROR");
    if (!to.addresses.empty() && !to.records.empty())
        return refuse("is beside an answer of another kind");
    return true;
}

void CoreLocal::add_template(const Template& from, const CoreScope& scope) {
    std::vector<std::string> matches = from.matches;
    if (!from.expressions.empty()) matches.push_back("qname" + from.expressions);
    const auto add = [&](std::string exec) { templates_.push_back({matches, std::move(exec)}); };
    if (!from.records.empty()) {
        ++template_count_;
        Table table{"template" + scope.suffix, "arbitrary", "rules", "", from.records};
        if (template_count_ > 1) table.tag += "_t" + std::to_string(template_count_);
        add("$" + table.tag);
        tables_.push_back(std::move(table));
        add(std::string(kNoData));  // every query that it fits ends here
        return;
    }
    if (!from.addresses.empty()) {
        add("black_hole" + from.addresses);
        templates_.push_back({{"has_resp"}, "ttl " + from.ttl});
        templates_.push_back({{"has_resp"}, "accept"});
        return;
    }
    if (from.rcode == "NOERROR" || from.rcode == "NXDOMAIN") {
        add(from.rcode == "NXDOMAIN" ? "black_hole nxdomain short_circuit" : std::string(kNoData));
        return;
    }
    add("reject " + from.rcode);
}

// ---- hosts [FILE [ZONE...]] { ADDRESS NAME...; ttl, no_reverse, reload, fallthrough }

struct CoreLocal::Hosts {
    std::vector<std::string> zones;
    std::string ttl = "3600";
    bool has_reverse = true;
    bool keeps_types = true;                       // other types of its names have no records
    std::map<std::string, std::string> addresses;  // by rule
    std::vector<std::string> pointers;             // PTR records
};

void CoreLocal::read_hosts(const Directive& d, const CoreScope& scope) {
    if (std::exchange(has_hosts_, true)) return note(d, "this block has another 'hosts'");
    const auto zones = zones_of(d, 1);
    if (!zones) return;
    std::vector<std::string> matches = within(*zones);
    matches.emplace_back("!qtype PTR");
    const auto rest = Fallthrough(d).kept(std::move(matches));
    notes_.push_back(
        {line_place(d.line),
         "the file " + in_quotes(d.args.empty() ? "/etc/hosts" : d.args.front()) +
             " of 'hosts' is not imported: write its lines as 'NAME ADDRESS' into a file, and name "
             "it in 'files' of a plugin of type hosts" +
             (rest ? "; without 'fallthrough', names that are not imported get SERVFAIL" : "")});
    Hosts made{*zones};
    // The lines need the TTL.
    std::vector<const Directive*> lines;
    for (const Directive& o : d.body) {
        if (!read_hosts_option(o, made)) lines.push_back(&o);
    }
    for (const Directive* const line : lines)
        read_hosts_line(*line, made);
    add_hosts(made, scope);
    if (rest) hosts_.push_back({*rest, "reject SERVFAIL"});
}

bool CoreLocal::read_hosts_option(const Directive& d, Hosts& to) {
    if (d.name == "no_reverse") {
        to.has_reverse = false;
    } else if (d.name == "fallthrough_unsupported") {
        to.keeps_types = false;
    } else if (d.name == "ttl") {
        constexpr std::uint64_t kMaxTtl = 65'535;  // CoreDNS has this limit
        const std::string text = join(d.args, " ");
        if (parse_number(text, kMaxTtl).value_or(0) > 0)
            to.ttl = text;
        else
            note(d, "expected 1..65535 seconds");
    } else {
        return d.name == "reload" || d.name == "fallthrough";
    }
    return true;
}

// ADDRESS NAME...
void CoreLocal::read_hosts_line(const Directive& d, Hosts& to) {
    if (!is_v4(d.name) && !is_v6(d.name))
        return note(d, "expected ADDRESS NAME, or a setting of 'hosts'");
    for (const std::string& word : d.args) {
        const bool is_wildcard = word.starts_with("*.");
        const std::string name = plain_name(is_wildcard ? word.substr(2) : word);
        const bool is_inside =
            to.zones.empty() || std::ranges::any_of(to.zones, [&](const std::string& zone) {
                return name == zone || name.ends_with("." + zone);
            });
        if (!is_core_name(name)) {
            note(d, in_quotes(word) + " is not a name");
        } else if (!is_inside) {
            note(d, in_quotes(word) + " is outside the zones of 'hosts'");
        } else if (is_wildcard) {
            to.addresses[expression_below(name)] += " " + d.name;
        } else {
            to.addresses["full:" + name] += " " + d.name;
            to.pointers.push_back(pointer_name(d.name) + ". " + to.ttl + " IN PTR " + name + ".");
        }
    }
}

void CoreLocal::add_hosts(const Hosts& from, const CoreScope& scope) {
    if (from.addresses.empty()) return;
    Table table{"hosts" + scope.suffix, "hosts", "entries", "", {}, false};
    std::string names = "qname";
    for (const auto& [rule, list] : from.addresses) {
        table.items.push_back(rule + list);
        names += " " + rule;
    }
    hosts_.push_back({{}, "$" + table.tag});
    hosts_.push_back({{"has_resp"}, "ttl " + from.ttl});
    hosts_.push_back({{"has_resp"}, "accept"});
    if (from.keeps_types) hosts_.push_back({{names, "!qtype PTR"}, std::string(kNoData)});
    tables_.push_back(std::move(table));
    if (!from.has_reverse || from.pointers.empty()) return;
    Table reverse{"reverse" + scope.suffix, "arbitrary", "rules", "", from.pointers};
    hosts_.push_back({{}, "$" + reverse.tag});
    tables_.push_back(std::move(reverse));
}

// ---- file FILE [ZONE...] { reload, fallthrough }

void CoreLocal::read_file(const Directive& d, const CoreScope& scope) {
    if (d.args.empty()) return note(d, "expected a file and names of zones");
    const auto zones = zones_of(d, 1);
    if (!zones) return;
    std::string path = d.args.front();
    if (!path.starts_with('/') && !scope.root.empty()) path = scope.root + "/" + path;
    if (!path.starts_with('/') || !scope.is_there(path))
        return note(d,
                    "the file is not on this machine, or has no absolute path; name it in 'files' "
                    "of a plugin of type arbitrary");
    for (const Directive& o : d.body) {
        if (o.name != "reload" && o.name != "reload_by_mtime" && o.name != "fallthrough" &&
            o.name != "upstream")
            note(o, "this setting is not supported");
    }
    notes_.push_back({line_place(d.line),
                      "the zone file " + in_quotes(path) +
                          " becomes a plugin of type arbitrary: aliases (CNAME) answer queries for "
                          "CNAME only, wildcards and delegations have no effect, and other names "
                          "of the zone have no records instead of NXDOMAIN"});
    for (const std::string& origin : zones->empty() ? scope.zones : *zones) {
        ++file_count_;
        Table table{"file" + scope.suffix, "arbitrary", "files", origin, {path}};
        if (file_count_ > 1) table.tag += "_f" + std::to_string(file_count_);
        files_.push_back({{}, "$" + table.tag});
        tables_.push_back(std::move(table));
    }
    if (auto matches = Fallthrough(d).kept(within(*zones)))
        files_.push_back({std::move(*matches), std::string(kNoData)});
}

// ---- written

void CoreLocal::write_rule(Sheet& sheet, const Rule& rule) {
    const std::string exec = rule.exec.starts_with('$') ? rule.exec : scalar(rule.exec);
    if (rule.matches.empty()) return sheet.line("- exec: " + exec);
    sheet.line("- { matches: " +
               (rule.matches.size() == 1 ? scalar(rule.matches.front()) : flow_list(rule.matches)) +
               ", exec: " + exec + " }");
}

void CoreLocal::write_plugins(Sheet& sheet) const {
    sheet.notes(notes_);
    if (!acl_.empty()) {
        sheet.open("- tag: " + acl_tag_);
        sheet.line("type: sequence");
        sheet.open("args:");
        for (const Rule& rule : acl_)
            write_rule(sheet, rule);
        sheet.close();
        sheet.close();
    }
    for (const Table& table : tables_) {
        sheet.open_plugin(table.tag, table.type);
        if (table.short_circuit) sheet.line("short_circuit: true");
        if (!table.origin.empty()) sheet.key("origin", table.origin);
        sheet.open(table.key + ":");
        for (const std::string& item : table.items)
            sheet.line("- " + scalar(item));
        sheet.close();
        sheet.close_plugin();
    }
}

void CoreLocal::write_access(Sheet& sheet) const {
    if (!acl_.empty()) sheet.line("- exec: " + scalar("jump " + acl_tag_));
    for (const Rule& rule : access_)
        write_rule(sheet, rule);
}

bool CoreLocal::write_answers(Sheet& sheet) const {
    for (const Rules* const rules : {&templates_, &hosts_, &files_}) {
        for (const Rule& rule : *rules) {
            write_rule(sheet, rule);
            if (rule.matches.empty() && ends_program(rule.exec)) return true;
        }
    }
    return false;
}

}  // namespace steer::importing
