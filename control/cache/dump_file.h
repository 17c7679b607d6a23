// A dump of one cache instance: answers in a file, to restore after a restart.
//
//   block*:  u32 length | u32 CRC-32C of the payload | payload
//
// The first block has a DumpHeader, the instance's tag and the names of lists. Then come blocks of
// records, each with a DumpRecord, its lists, its name and its answer. The last block has a
// DumpEnd. Numbers are in the machine's byte order, which is part of the version. A new dump is
// written to another file with mode 0600, synced to disk and then renamed. So the name always leads
// to a complete dump, the new or the old one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/host/process/new_file.h"
#include "dataplane/dns/answer.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

// A list's identity across restarts: the ros_address_list's tag and its router's name.
using ListName = std::pair<std::string, std::string>;

// One answer. Times count from the beginning of the dump.
struct DumpRecord {
    std::uint32_t age_s = 0;
    std::int32_t left_s = 0;            // until its TTL ends; negative: it is stale
    std::int32_t usable_s = 0;          // until it is no longer served as stale; at least left_s
    std::uint32_t refresh_check_s = 0;  // from its birth: Insert::refresh_check_after_s
    std::uint32_t ttl_cap_s = UINT32_MAX;
    std::uint32_t answer_bytes = 0;
    std::uint16_t qtype = 0, qclass = 0;
    std::uint8_t flags = 0, name_len = 0, ecs_len = 0, list_count = 0;
    std::uint8_t hits = 0, visited = 0;  // its popularity: as in cache::Entry
    std::uint16_t reserved = 0;
};
static_assert(sizeof(DumpRecord) == 36);

struct DumpedAnswer {
    DumpRecord record;
    std::span<const std::uint16_t> lists;  // indices of DumpContents::lists
    std::span<const std::uint8_t> name;    // then the client's subnet, if record.ecs_len is not 0
    std::span<const std::uint8_t> answer;  // a dns::Answer
};

struct DumpContents {
    std::string instance;
    std::uint64_t wall_ms = 0;  // CLOCK_REALTIME at the beginning
    std::vector<ListName> lists;
};

class DumpWriter {
  public:
    // Begins a dump beside `path`. The file at `path` must be missing, empty or another dump; any
    // other file is left unchanged. Error: a sentence that names the file.
    static Result<std::unique_ptr<DumpWriter>> create(const std::string& path,
                                                      const DumpContents& contents);

    void add(const DumpedAnswer& answer);
    // Writes added answers if there are enough; may wait for the disk. Call it at least once per
    // page of the cache.
    void write_out();
    // Replaces the old dump. Error: disk full, folder missing, …; the old dump is unchanged.
    Result<std::uint64_t> finish();  // returns the number of answers

  private:
    DumpWriter(std::string path, NewFile file);
    template <class T>
    void put(const T& value);
    void put_bytes(std::span<const std::uint8_t> bytes);
    void end_block();

    std::string path_;
    NewFile file_;
    std::uint64_t answers_ = 0;
    std::vector<std::uint8_t> block_;
};

// Reads a dump twice. The first pass checks the whole dump, so that an incomplete one is not partly
// restored.
class DumpReader {
  public:
    // Error: the reason why the file is unusable, in a sentence that names it. A missing file is
    // also an error, see missing().
    static Result<std::unique_ptr<DumpReader>> open(const std::string& path,
                                                    const std::string& instance,
                                                    std::uint64_t now_wall_ms);
    static bool missing(const std::string& path);
    DumpReader(const DumpReader&) = delete;
    DumpReader& operator=(const DumpReader&) = delete;

    [[nodiscard]] const DumpContents& contents() const { return contents_; }
    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    // Visits every answer, in order; pointers are valid during the call. Error: the file has
    // changed since it was opened.
    Result<void> each(const std::function<void(const DumpedAnswer&)>& visit);

  private:
    DumpReader(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    Result<void> check(const std::string& instance, std::uint64_t now_wall_ms);
    // Reads the next block into block_. Returns false if it is incomplete.
    bool read_block();
    Result<void> walk(const std::function<void(const DumpedAnswer&)>* visit);
    [[nodiscard]] Error torn() const;

    std::string path_;
    Descriptor fd_;
    DumpContents contents_;
    std::uint64_t answers_ = 0;
    std::vector<std::uint8_t> block_;
};

// Whether this block is an answer with a correct sum, and its tables lead to the counted number of
// records inside the block.
bool is_sound_answer(std::span<const std::uint8_t> bytes);

}  // namespace steer
