#include "control/config/placeholders.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "control/config/sections/sections.h"
#include "control/config/text/suggestion.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// The path in full, because two files can have the same name.
std::string named(const std::string& path) {
    return "\"" + path + "\"";
}

class Includer {
  public:
    explicit Includer(Reading& in) : in_(in) {
        open_.push_back({in.settings().file, canonical(in.settings().file), 0});
    }

    bool ok() const { return ok_; }

    // Appends what `top` brings to `out`; `top` is a map of the file that open_ ends with.
    void take(Node& top, Node& out) {
        if (const Node* files = top.find("include"); files != nullptr && !files->is_null()) {
            const int line = files->line;
            for (const Text& path : read_texts(in_, *files, {"include", owner(), line}))
                include(path, out);
        }
        Node* own = find(top, "plugins");
        if (own == nullptr || own->is_null()) return;
        if (!own->is_list()) {
            fail(own->line, "'plugins': expected a list with at least one sequence, found " +
                                std::string(own->what()));
            return;
        }
        if (out.line == 0) out.line = own->line;
        std::move(own->items.begin(), own->items.end(), std::back_inserter(out.items));
    }

  private:
    struct Open {
        std::string name, canonical;
        int line;  // where it was named
    };

    static Node* find(Node& map, std::string_view key) {
        const auto at = std::find_if(map.entries.begin(), map.entries.end(),
                                     [key](const Entry& e) { return e.key == key; });
        return at == map.entries.end() ? nullptr : &at->value;
    }

    static std::string canonical(const std::string& path) {
        std::error_code failed;
        const auto whole = std::filesystem::weakly_canonical(path, failed);
        return failed ? path : whole.string();
    }

    void fail(int line, std::string text) {
        ok_ = false;
        in_.report().error(line, std::move(text));
    }

    std::string owner() const { return named(open_.back().name); }

    std::string resolve(const std::string& path) const {
        if (open_.size() == 1) return in_.resolve(path, 0);
        const std::filesystem::path given(path);
        if (given.is_absolute()) return given.string();
        const auto folder = std::filesystem::path(open_.back().name).parent_path();
        return (folder / given).lexically_normal().string();
    }

    void include(const Text& path, Node& out) {
        const std::string file = resolve(path.value);
        const std::string whole = canonical(file);
        if (!may_include(file, whole, path.line)) return;
        in_.settings().opened.push_back(file);
        const auto text = in_.source_text(file);
        if (!text) {
            fail(path.line,
                 "the included file " + named(file) + " cannot be read: " + text.error().text);
            return;
        }
        auto& included = in_.settings().included;
        included.push_back(file);
        in_.report().add_source(file);
        done_.push_back({file, whole, path.line});
        open_.push_back({file, whole, path.line});
        const int before = static_cast<int>(included.size()) * kLinesPerSource;
        const std::size_t errors = in_.report().error_count();
        Node top = parse_document(*text, in_.report(), before);
        if (in_.report().error_count() > errors) {
            ok_ = false;
        } else if (!top.is_map()) {
            fail(std::max(top.line, before + 1),
                 "expected an included file with 'plugins:', found " + std::string(top.what()));
        } else {
            expand_placeholders(top, in_);
            check_sections(in_, top);
            warn_of_rest(top, before + 1);
            take(top, out);
        }
        open_.pop_back();
    }

    bool may_include(const std::string& file, const std::string& whole, int line) {
        const auto around = std::find_if(open_.begin(), open_.end(),
                                         [&](const Open& o) { return o.canonical == whole; });
        if (around != open_.end()) {
            std::string text = "files include each other in a loop: ";
            for (auto at = around; at != open_.end(); ++at)
                text += named(at->name) + " -> ";
            fail(line, text + named(file) + "; remove one of these includes");
            return false;
        }
        const auto before = std::find_if(done_.begin(), done_.end(),
                                         [&](const Open& o) { return o.canonical == whole; });
        if (before != done_.end()) {
            fail(line, "the file " + named(file) + " is included twice, first at " +
                           in_.report().place(before->line) + ": include it once");
            return false;
        }
        if (open_.size() > kMaxIncludeDepth) {
            fail(line, "the include of " + named(file) + " is nested more than " +
                           std::to_string(kMaxIncludeDepth) +
                           " levels deep: include the file in the main configuration");
            return false;
        }
        if (done_.size() >= kMaxIncluded) {
            fail(line,
                 "more than " + std::to_string(kMaxIncluded) + " files are included: merge some");
            return false;
        }
        return true;
    }

    void warn_of_rest(const Node& top, int first_line) {
        for (const Entry& entry : top.entries) {
            if (entry.key == "plugins" || entry.key == "include") continue;
            const auto all = sections();
            const bool known = std::any_of(all.begin(), all.end(),
                                           [&](const Section& s) { return s.name == entry.key; });
            if (!known) continue;
            in_.report().warn(
                entry.line,
                "the section '" + entry.key +
                    "' in an included file has no effect: move it to the main configuration");
        }
        if (top.find("plugins") == nullptr && top.find("include") == nullptr) {
            in_.report().warn(first_line, "this included file has no 'plugins'");
        }
    }

    Reading& in_;
    std::vector<Open> open_;  // the configuration, and what led to the file that is read
    std::vector<Open> done_;  // all included files
    bool ok_ = true;
};

// What to write for a setting at the top that belongs into one section. Empty: no section has it,
// or several have.
std::string section_hint(const std::string& key) {
    std::string found;
    for (const Section& section : sections()) {
        if (section.rows == nullptr || section.name == "runtime") continue;
        const std::vector<RowText> rows = section.rows();
        if (std::ranges::find(rows, key, &RowText::name) == rows.end()) continue;
        if (!found.empty()) return {};
        found = section.name;
    }
    return found.empty() ? found : ": write '" + key + "' in '" + found + "'";
}

}  // namespace

void check_sections(Reading& in, const Node& top) {
    std::vector<std::string_view> names;
    for (const Section& section : sections())
        names.push_back(section.name);
    for (const Entry& entry : top.entries) {
        const auto all = sections();
        const auto known = std::find_if(all.begin(), all.end(),
                                        [&](const Section& s) { return s.name == entry.key; });
        if (known == all.end()) {
            const std::string hint = section_hint(entry.key);
            in.report().unknown(
                entry.line,
                "section " + matchers::quoted(entry.key) +
                    (hint.empty() ? suggestion(NameOf::section, entry.key, {}, names) : hint));
        }
    }
}

std::optional<Node> take_plugins(Node& top, Reading& in) {
    Node all;
    all.kind = Node::Kind::list;
    Includer includer(in);
    includer.take(top, all);
    if (!includer.ok()) return std::nullopt;
    return all;
}

}  // namespace steer::config
