#include "control/config/load.h"

#include <algorithm>
#include <map>
#include <utility>

#include "control/config/advice/graph.h"
#include "control/config/advice/steps.h"
#include "control/config/document.h"
#include "control/config/foreign_file.h"
#include "control/config/layer.h"
#include "control/config/lists/list_changes.h"
#include "control/config/lists/rules.h"
#include "control/config/lists/runtime_records.h"
#include "control/config/placeholders.h"
#include "control/config/plugin_type.h"
#include "control/config/predecessors.h"
#include "control/config/reading.h"
#include "control/config/sections/sections.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// After all sections: `client_groups` of `control` may read the Redis of `fleet`.
void check_groups(Reading& in, const Node& top) {
    if (in.settings().control.client_groups_key.empty() || top.find("fleet") != nullptr) return;
    in.report().error(top.find("control")->find("client_groups")->line,
                      "'client_groups' of 'control' reads Redis, and only 'fleet' says where Redis "
                      "is: write 'fleet' with 'name' and 'redis'");
}

void read_sections(Reading& in, const Node& top) {
    Node empty;
    empty.kind = Node::Kind::map;
    for (const Section& section : sections()) {
        if (section.read == nullptr) continue;
        const Node* node = top.find(section.name);
        const bool missing = node == nullptr || node->is_null();
        section.read(in, missing ? empty : *node, missing ? 0 : node->line);
    }
    finish_api(in, top);
    check_groups(in, top);
}

// ---- plugins

// One item of `plugins`, before its arguments are read.
struct Declaration {
    const PluginType* type = nullptr;         // nullptr: nothing more can be read
    const PredecessorType* theirs = nullptr;  // nullptr: our own type, or unknown
    const Node* args = nullptr;
    std::string tag;
    int line = 0;
};

class PluginsReader {
  public:
    PluginsReader(Reading& in, const Node& list) : in_(in), list_(list) {}

    void all() {
        in_.settings().plugins.resize(list_.items.size());
        for (std::size_t i = 0; i < list_.items.size(); ++i) {
            declarations_.push_back(declare(list_.items[i], static_cast<PluginIndex>(i)));
        }
        for (std::size_t i = 0; i < declarations_.size(); ++i)
            read(declarations_[i], i);
    }

  private:
    void error(int line, std::string text) { in_.report().error(line, std::move(text)); }

    Declaration declare(const Node& node, PluginIndex index) {
        Declaration out;
        out.line = node.line;
        // Number within its own file, whose plugins are contiguous.
        if (source_of(node.line) != source_) {
            source_ = source_of(node.line);
            before_ = index;
        }
        const std::string number = "plugin " + std::to_string(index - before_ + 1);
        if (!node.is_map()) {
            error(node.line, number + ": expected a map with 'tag', 'type' and 'args', found " +
                                 std::string(node.what()));
            return out;
        }
        for (const Entry& entry : node.entries) {
            if (entry.key == "tag" || entry.key == "type" || entry.key == "args") continue;
            in_.report().unknown(entry.line, "key " + matchers::quoted(entry.key) + " in " +
                                                 number +
                                                 did_you_mean(entry.key, {"tag", "type", "args"}));
        }
        const std::string type = word(node, "type", number);
        out.args = node.find("args");
        out.tag = word(node, "tag", number);
        const auto* const theirs = predecessors::find_type(type);
        out.theirs = theirs;
        find_type_of(out, type, number, node);
        name(out, type);
        Reading::Declared what{index, type, std::nullopt, out.type != nullptr};
        if (out.type != nullptr) what.role = out.type->role;
        if (theirs != nullptr) {
            what.role = theirs->is_server ? Role::server : Role::executor;
            what.left_out = theirs->fate == PredecessorType::Fate::no_effect;
            report_type(in_, *theirs, out.line, "'" + out.tag + "'");
            if (theirs->is_server && what.left_out) in_.note_left_out_server(out.line);
        }
        if (const auto* first = in_.find_tag(out.tag)) {
            error(out.line, "the tag " + matchers::quoted(out.tag) + " is given twice, first at " +
                                in_.report().place(list_.items[first->index].line) +
                                ": use unique tags");
        } else {
            in_.declare(out.tag, std::move(what));
        }
        return out;
    }

    // The text of `tag` or `type`; empty if there is none.
    std::string word(const Node& node, std::string_view key, const std::string& owner) {
        const Node* value = node.find(key);
        if (value == nullptr || value->is_null()) return {};
        if (key == "tag" && value->is_text() && value->text.empty()) return {};  // mosdns
        std::string out;
        read_value(in_, *value, {key, owner, value->line}, {}, out);
        if (key == "tag" && std::any_of(out.begin(), out.end(), [](char c) {
                const auto byte = static_cast<unsigned char>(c);
                return byte < 0x20 || byte == 0x7f;
            })) {
            error(value->line,
                  "the tag " + matchers::quoted(out) + " has a control character in it: remove it");
            return {};
        }
        if (key == "tag" &&
            (out.starts_with('$') || out.starts_with('!') || out.find(' ') != std::string::npos)) {
            error(value->line, "the tag " + matchers::quoted(out) + ": remove '$', '!' and blanks");
        }
        return out;
    }

    void find_type_of(Declaration& out, const std::string& type, const std::string& number,
                      const Node& node) {
        const std::string owner = out.tag.empty() ? number : "plugin '" + out.tag + "'";
        const Node* value = node.find("type");
        const int line = value == nullptr ? node.line : value->line;
        out.type = find_type(type);
        if (type.empty()) {
            if (value == nullptr || value->is_null())
                error(line, owner + " has no 'type': add one, as in 'type: forward'");
        } else if (out.type == nullptr && out.theirs == nullptr) {
            in_.report().unknown(line,
                                 "plugin type " + matchers::quoted(type) + did_you_mean_type(type));
        }
    }

    // A plugin without a tag is TYPE_N.
    void name(Declaration& out, const std::string& type) {
        if (!out.tag.empty()) return;
        if (out.type != nullptr && out.type->extras.needs_tag) {
            error(out.line, "a " + type + " needs a 'tag' for the comments of its rows: add one");
        }
        do {
            out.tag = (type.empty() ? "plugin" : type) + "_" + std::to_string(++counts_[type]);
        } while (in_.find_tag(out.tag) != nullptr);
    }

    void read(const Declaration& declaration, std::size_t index) {
        Plugin plugin;
        plugin.tag = declaration.tag;
        plugin.line = declaration.line;
        if (declaration.type != nullptr) {
            plugin.type = declaration.type->name;
            plugin.role = declaration.type->role;
            declaration.type->read(in_, declaration.args, plugin);
        } else if (declaration.theirs != nullptr) {
            plugin.type = declaration.theirs->name;
            plugin.args = DropResp{};  // nothing refers to it
        }
        in_.settings().plugins[index] = std::move(plugin);
    }

    Reading& in_;
    const Node& list_;
    std::size_t source_ = 0;
    PluginIndex before_ = 0;  // plugins of the sources before source_
    std::vector<Declaration> declarations_;
    std::map<std::string, int> counts_;
};

void read_plugins(Reading& in, Node& top, Layer& layer) {
    const Node* own = top.find("plugins");
    const std::string found = own == nullptr   ? "nothing"
                              : own->is_list() ? "an empty list"
                                               : std::string(own->what());
    std::optional<Node> list = take_plugins(top, in);
    if (!list) return;
    layer.lay_over_plugins(*list, in);
    if (list->items.empty()) {
        in.report().error(own == nullptr ? 0 : own->line,
                          "'plugins': expected a list with at least one sequence, found " + found);
        return;
    }
    PluginsReader(in, *list).all();
    warn_of_unused_records(in);
    give_uses(in.settings());
    in.make_picks();
    finish_limits(in);
    in.report_absent();
    check_patterns(in);
    if (!check_cycles(in) || in.report().error_count() > 0) return;
    check_crons(in);
    if (in.report().error_count() > 0) return;
    if (!find_entry(in)) return;
    if (in.report().error_count() == 0) advise(in);
}

LoadOutcome load_bytes(std::string_view text, Reading& in) {
    LoadOutcome out;
    if (std::string what = foreign_file(text, in.settings().file); !what.empty()) {
        in.report().error(0, std::move(what));
        out.errors = in.report().take_errors();
        out.settings = std::move(in.settings());
        return out;
    }
    Node top = parse_document(text, in.report());
    if (in.report().error_count() == 0) {
        if (top.is_map() && is_mosdns_v4(in, top)) {
            // The rest of the file would be misread.
        } else if (top.is_map()) {
            expand_placeholders(top, in);
            check_sections(in, top);
            Layer layer = Layer::read(in, top);
            layer.lay_over_sections(top, in.settings());
            read_sections(in, top);
            read_plugins(in, top, layer);
            in.report_absent();
        } else {
            in.report().error(top.line, "expected a configuration with 'plugins:', found " +
                                            std::string(top.what()));
        }
    }
    out.has_unknown_names = in.report().has_unknown_names();
    out.errors = in.report().take_errors();
    out.warnings = in.report().take_warnings();
    out.settings = std::move(in.settings());
    return out;
}

}  // namespace

LoadOutcome load(const std::string& path, const LoadOptions& options) {
    Reading in(path, options);
    const auto text = in.source_text(path);
    if (!text) {
        LoadOutcome out;
        out.errors.push_back({"the configuration cannot be read: " + text.error().text, path});
        return out;
    }
    return load_bytes(*text, in);
}

LoadOutcome load_text(std::string_view text, const std::string& name, const LoadOptions& options) {
    Reading in(name, options);
    in.settings().texts[name] = text;
    return load_bytes(text, in);
}

}  // namespace steer::config
