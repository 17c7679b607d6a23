// The policy language, read word by word: an interpreter of the YAML, recursive and slow, written from the reference
// of the language (docs/configuration.md, docs/design.md 4), not from the compiler.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "differential/world.h"

namespace steer::differential {

class Naive {
  public:
    Naive(const std::string& yaml, std::map<std::string, std::string> environment);

    Outcome ask(const Question& question, std::uint64_t now_ms);

  private:
    struct Response {
        Reply reply;
        std::uint64_t born_s = 0;  // the TTLs are those of then
        unsigned id = 0;           // of what an upstream said, through all copies; 0: made here
        std::string cache;         // that gave it
        bool is_upstreams_word = false;  // or its silence
    };
    struct Entry {
        Response response;
        std::uint64_t expires_s = 0;
        std::set<std::string> lists;
    };
    using Key = std::tuple<std::string, std::string, std::uint16_t, std::uint16_t, bool, bool>;

    // How a sequence came to its end.
    enum class Flow { went_on, returned, stopped };

    const YAML::Node& plugin(const std::string& tag) const;
    Flow run(const std::string& tag, std::size_t rule);
    Flow exec(const std::string& tag, std::size_t rule, const std::string& text);
    Flow exec_plugin(const std::string& type, const YAML::Node& args, const std::string& tag,
                     const std::string& sequence, std::size_t next);
    Flow forward(const std::string& upstream, bool short_circuit);
    Flow cache(const std::string& tag, const YAML::Node& args, const std::string& sequence,
               std::size_t next);
    void keep(const std::string& tag, const YAML::Node& args, const std::set<std::string>& before);
    void claim(const std::string& tag, const YAML::Node& args);
    void note(const std::string& kind, const std::string& text);
    Flow known(const std::string& type, const YAML::Node& args);
    void change_ttls(std::uint64_t least_s, std::uint64_t most_s);
    void black_hole(const std::string& mode, const std::vector<std::string>& addresses);
    bool hosts(const YAML::Node& args);
    bool zone(const YAML::Node& args);
    Flow fallback(const YAML::Node& args);
    enum class Unit { answered, without_answer, failed };
    Unit run_unit(const std::string& tag);
    void respond_with(Reply reply);
    void respond(std::shared_ptr<Response> response);
    void respond_empty(unsigned rcode);

    bool holds(std::string text) const;
    bool holds(const std::string& type, const std::vector<std::string>& words) const;
    bool holds_number(const std::string& type, const std::vector<std::string>& words) const;
    bool in_names(const std::string& name, const std::vector<std::string>& words) const;
    bool in_domain_set(const std::string& name, const std::string& tag) const;
    bool in_addresses(const std::string& address, const std::vector<std::string>& words) const;
    bool in_ip_set(const std::string& address, const std::string& tag) const;

    YAML::Node yaml_;
    std::map<std::string, YAML::Node> plugins_;
    std::map<std::string, std::string> environment_;
    World world_;
    std::map<Key, Entry> kept_;
    unsigned ids_ = 0;

    // Of the question that is asked.
    Question question_;
    std::string name_;  // lower-cased
    std::uint64_t now_s_ = 0;
    std::shared_ptr<Response> response_;
    std::set<std::string> claimed_;  // for this response
    std::set<std::uint32_t> marks_;
    bool failed_ = false;  // nobody answered; the program ended with that
    Outcome seen_;
};

}  // namespace steer::differential
