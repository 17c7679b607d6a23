// One reading of one configuration: the state that the readers of sections and plugins share.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/document.h"
#include "control/config/load.h"
#include "control/config/report.h"
#include "control/config/setting.h"
#include "control/config/settings.h"

namespace steer::config {

// The kind of plugin that a reference needs.
enum class Wanted : std::uint8_t { domain_set, ip_set, provider, secondary, matcher, executor };

// `api` of ForgeDNS and mosdns.
struct ApiOfPredecessor {
    std::optional<Endpoint> listen;
    std::string protected_by;  // "a password ('auth')"; empty: by nothing
    int line = 0;
};
// `network.outbound` of ForgeDNS.
struct OutboundOfPredecessor {
    std::string standard;  // the profile of upstreams without one; empty: none
    std::map<std::string, ReachSettings, std::less<>> profiles;
};

// A path that may be opened: only Reading::resolve() makes one, so that none is read which the layer
// may not name.
class ResolvedPath {
  public:
    ResolvedPath() = default;  // no file
    [[nodiscard]] const std::string& text() const { return text_; }
    operator const std::string&() const { return text_; }  // NOLINT(google-explicit-constructor)

  private:
    friend class Reading;
    explicit ResolvedPath(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

class Reading {
  public:
    Reading(std::string file, const LoadOptions& options);

    [[nodiscard]] Report& report() { return report_; }
    [[nodiscard]] Settings& settings() { return settings_; }

    // ---- files and environment

    // The path to open: a relative one starts from the base folder. It joins Settings::named.
    // `line`: of the path. In the layer (layer.h), a path starts from the layer's folder; one that
    // leads out of it is reported, and the result names no file.
    [[nodiscard]] ResolvedPath resolve(std::string_view path, int line);
    // Whether the path, which is at that line, leads out of the layer that has it.
    [[nodiscard]] bool leaves_layer(std::string_view path, int line) const;
    // The content of a file, or the reason of the failure ("No such file or directory"). Reads a
    // pipe only as the configuration itself (`--config <(...)`).
    static Result<std::string> read_text(const std::string& path, bool or_pipe = false);
    // The text of the configuration or of an included file, which Settings::texts keeps.
    Result<std::string> source_text(const std::string& path);
    // The text of the layer, if not that of its file decides. `has_file`: whether the file may be
    // read for it.
    [[nodiscard]] std::optional<std::string> layer_text(const std::string& file,
                                                        bool& has_file) const;
    [[nodiscard]] bool keeps_placeholders() const { return options_.keeps_placeholders; }
    [[nodiscard]] const ManagedOptions& managed() const { return options_.managed; }
    [[nodiscard]] bool leaves_out_lines() const { return options_.leaves_out_lines; }
    // Lines of `source` belong to the layer, which is in `folder`.
    void set_layer(std::size_t source, std::string folder);
    // As read_text(). Reports a failure for `place` ("... cannot be read: No such file").
    std::optional<std::string> read_file(const ResolvedPath& path, const Place& place);
    // Notes that `file` contains a secret. Empty: the file with the line `line`.
    void note_secret(int line, std::string what, std::string file = {});
    // Reports the files that read_file() did not find, except those that a start downloads. Call it
    // once, after all plugins.
    void report_absent();
    // The number of a file's name in Settings::files.
    std::uint32_t file_number(const std::string& path);
    [[nodiscard]] std::optional<std::string> environment(const std::string& name) const;

    // ---- plugins

    struct Declared {
        PluginIndex index;
        std::string type;
        std::optional<Role> role;  // no value: the type is unknown; its uses are not reported too
        bool readable;             // its type is supported
        bool left_out = false;     // of a predecessor, without an effect here
    };
    // Declares the tag of a plugin under `plugins:`.
    void declare(const std::string& tag, Declared what) { declared_.emplace(tag, std::move(what)); }
    [[nodiscard]] const Declared* find_tag(std::string_view tag) const;
    // Finds the plugin of a tag. Reports an error at `line` ("there is no plugin 'x'", "is a
    // forward, expected a matcher") and returns no value then. `tag` has no '$'.
    std::optional<PluginIndex> refer(std::string_view tag, Wanted wanted, int line);
    // As refer(), where a tag without '$' is expected: accepts a superfluous '$' with a warning.
    std::optional<PluginIndex> refer_bare(std::string_view tag, Wanted wanted, const Place& place);
    // Adds a plugin that is written in place; its tag is derived from `tag`.
    PluginIndex add_in_place(Plugin plugin);

    // After all plugins are read, `made` becomes the forward `of` with those of its upstreams that
    // have one of these tags.
    struct UpstreamPick {
        PluginIndex made, of;
        std::vector<std::string> tags;
        int line;
    };
    void pick_upstreams(UpstreamPick pick) { picks_.push_back(std::move(pick)); }
    void make_picks();

    // The file of runtime records (runtime_records.h), after it was read.
    [[nodiscard]] std::optional<Node>& runtime_records() { return runtime_records_; }

    // ---- contents of predecessors' sections (predecessors.h)

    [[nodiscard]] ApiOfPredecessor& api() { return api_; }
    [[nodiscard]] OutboundOfPredecessor& outbound() { return outbound_; }
    // Notes that a server is left out: the configuration needs another one.
    void note_left_out_server(int line) { left_out_server_ = line; }
    [[nodiscard]] std::optional<int> left_out_server() const { return left_out_server_; }

    // Adds a router that is written inside a plugin; the same one twice is one. `line` of the
    // second is not kept.
    RouterIndex add_router(Router router);

  private:
    // Empty: it leads out of the layer's folder.
    [[nodiscard]] std::string path_in_layer(std::string_view path) const;
    [[nodiscard]] ResolvedPath resolve_in_layer(std::string_view path, int line);

    Report report_;
    const LoadOptions& options_;
    std::string base_dir_;
    std::size_t layer_source_ = 0;  // 0: no layer
    std::string layer_folder_;
    Settings settings_;
    std::map<std::string, Declared, std::less<>> declared_;
    struct Absent {
        std::string file, text;
        int line;
    };
    std::vector<Absent> absent_;
    std::vector<UpstreamPick> picks_;
    std::optional<Node> runtime_records_;
    ApiOfPredecessor api_;
    OutboundOfPredecessor outbound_;
    std::optional<int> left_out_server_;
};

// ---- values with their own form, used by several sections

// ` is "x": ` or `: found a map, `, between a place's name and "expected ...".
std::string found(const Node& node);

// Reads every item of a list of texts. Reports items that are not texts, and a value that is not a
// list.
std::vector<Text> read_texts(Reading& in, const Node& node, const Place& place);
// Reads prefixes such as "192.0.2.0/24".
std::vector<matchers::Prefix> read_prefixes(Reading& in, const Node& node, const Place& place);
std::optional<Endpoint> read_endpoint(Reading& in, const Node& node, const Place& place);

}  // namespace steer::config
