// The policy language, read word by word: an interpreter of the YAML, recursive and slow, written from the reference
// of the language (docs/reference/configuration.md, docs/explanation/architecture.md 4), not from the compiler.
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
    // Which lists the answer is claimed for is not given: a cached answer took another path than this question's, and not
    // only by its client.
    [[nodiscard]] bool lists_in_doubt() const { return lists_in_doubt_; }
    // Nothing is reported about what follows: a list emptied an answer in a cache that clients may share.
    [[nodiscard]] bool gives_up() const { return gives_up_; }

  private:
    struct Response {
        Reply reply;
        std::uint64_t born_s = 0;  // the TTLs are those of then
        unsigned id = 0;           // of what an upstream reported, through all copies; 0: made here
        std::string cache;         // that gave it
        bool is_upstreams_word = false;  // or its silence
        unsigned redirects = 0;          // around the question that it answers
        std::string decision{};  // of the rule that made it; empty: an upstream or a cache did
    };
    struct Entry {
        Response response;
        std::uint64_t expires_s = 0;
        std::set<std::string> lists;
        bool lists_in_doubt = false;
        // Where it was met, and how.
        std::string place;
        std::set<std::uint32_t> marks;
        bool had_response = false;
    };
    using Key = std::tuple<std::string, std::string, std::uint16_t, std::uint16_t, bool, bool>;

    // How a sequence ended.
    enum class Flow { went_on, returned, stopped };

    const YAML::Node& plugin(const std::string& tag) const;
    Flow run(const std::string& tag, std::size_t rule);
    // Another sequence, from a rule of the caller's.
    Flow call(const std::string& tag, const std::string& caller, std::size_t rule);
    Flow exec(const std::string& tag, std::size_t rule, const std::string& text);
    Flow exec_plugin(const std::string& type, const YAML::Node& args, const std::string& tag,
                     const std::string& sequence, std::size_t next);
    Flow forward(const std::string& upstream, bool short_circuit);
    Flow cache(const std::string& tag, const YAML::Node& args, const std::string& sequence,
               std::size_t next);
    Flow prefer(const std::string& type, const YAML::Node& args, const std::string& sequence,
                std::size_t next);
    Flow redirect(const YAML::Node& args, const std::string& sequence, std::size_t next);
    // What the rest that a cache wraps would claim this answer for, if it were a miss.
    void claim_as_missed(const std::string& tag, const Entry& hit, const std::string& sequence,
                         std::size_t next);
    // In that walk: whatever answers, it is the hit. False: this is no such walk.
    bool respond_as_missed();
    void keep(const std::string& tag, const YAML::Node& args, const std::set<std::string>& before,
              const Entry& met);
    void lists_of(const std::string& tag, std::set<std::string>& lists) const;
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
    void respond_with(Reply reply, const std::string& decision);
    void respond(std::shared_ptr<Response> response);
    void respond_empty(unsigned rcode, const std::string& decision = "");
    [[nodiscard]] std::string decision() const;

    bool holds(std::string text) const;
    bool holds(const std::string& type, const std::vector<std::string>& words) const;
    static bool holds_time(const YAML::Node& args);
    std::string text_of(const std::string& source) const;
    bool holds_text(const std::string& text) const;
    bool holds_number(const std::string& type, const std::vector<std::string>& words) const;
    // `by_type`: rules for certain types count as well.
    bool in_names(const std::string& name, const std::vector<std::string>& words,
                  bool by_type = false) const;
    bool in_domain_set(const std::string& name, const std::string& tag, bool by_type) const;
    bool in_addresses(const std::string& address, const std::vector<std::string>& words) const;
    bool in_geosite(const std::string& name, const YAML::Node& args) const;
    bool blocks(const std::string& name, const YAML::Node& args, bool by_type) const;
    bool in_ip_set(const std::string& address, const std::string& tag) const;

    YAML::Node yaml_;
    std::map<std::string, YAML::Node> plugins_;
    std::map<std::string, std::string> environment_;
    World world_;
    std::map<Key, Entry> kept_;
    // By where it stands, and name: until when it is known to have the preferred type, and how the rest ended.
    struct Preferred {
        std::uint64_t until_s;
        Flow flow;
    };
    std::map<std::pair<std::string, std::string>, Preferred> preferred_;
    unsigned ids_ = 0;

    // Of the question that is asked.
    Question question_;
    std::string name_;  // lower-cased; what is asked for now
    unsigned redirects_ = 0,
             redirects_as_missed_ = 0;  // that it is inside of; ... that as_missed_ is
    std::uint64_t now_s_ = 0;
    std::string where_;  // the rules that called what runs
    std::shared_ptr<Response> response_;
    std::set<std::string> claimed_;  // for this response
    std::set<std::uint32_t> marks_;
    bool failed_ = false;  // no upstream answered; the program ended with that
    bool dropped_ = false;
    bool is_rewritten_ = false;  // another name was asked for, by what answered
    bool lists_in_doubt_ = false, gives_up_ = false;
    bool asks_client_;                     // somewhere
    unsigned caches_ = 0;                  // that wrap what runs
    const Response* as_missed_ = nullptr;  // in the walk of claim_as_missed()
    std::set<std::string> lists_of_hit_;
    unsigned responders_ = 0;  // met there
    Outcome seen_;
};

}  // namespace steer::differential
