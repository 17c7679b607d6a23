// A dump of one cache instance: answers in a file, to be there again after a restart.
//
//   block*:  u32 length | u32 CRC-32C of the payload | payload
//
// First a block with a DumpHeader, the instance's tag and the names of lists; then blocks of records, each a DumpRecord,
// its lists, its name and its answer; last a block with a DumpEnd. All in the byte order of the machine, which is part of the
// version. Written beside its place, mode 0600, flushed to the disk and then renamed, so that a name leads to a whole dump
// or to the one before.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/process/new_file.h"
#include "dataplane/dns/answer.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

// A list by what is stable over restarts: the ros_address_list's tag and its router's name.
using ListName = std::pair<std::string, std::string>;

// One answer. Times count from when the dump was begun.
struct DumpRecord {
    std::uint32_t age_s = 0;
    std::int32_t left_s = 0;            // until its TTL is over; below 0: it is stale
    std::int32_t usable_s = 0;          // until it is not even served as stale; at least left_s
    std::uint32_t refresh_check_s = 0;  // after its birth: Insert::refresh_check_after_s
    std::uint32_t ttl_cap_s = UINT32_MAX;
    std::uint32_t answer_bytes = 0;
    std::uint16_t qtype = 0, qclass = 0;
    std::uint8_t flags = 0, name_len = 0, ecs_len = 0, list_count = 0;
    std::uint8_t hits = 0, visited = 0;  // how popular it is: as of cache::Entry
    std::uint16_t reserved = 0;
};
static_assert(sizeof(DumpRecord) == 36);

struct DumpedAnswer {
    DumpRecord record;
    std::span<const std::uint16_t> lists;  // indices of DumpContents::lists
    std::span<const std::uint8_t> name;    // with the client's subnet, if record.ecs_len is not 0
    std::span<const std::uint8_t> answer;  // a dns::Answer
};

struct DumpContents {
    std::string instance;
    std::uint64_t wall_ms = 0;  // CLOCK_REALTIME when it was begun
    std::vector<ListName> lists;
};

class DumpWriter {
  public:
    // Begins it beside `path`, where there is nothing, an empty file or another dump: any other file is left alone.
    // Error: a sentence that names the file.
    static Result<std::unique_ptr<DumpWriter>> create(const std::string& path,
                                                      const DumpContents& contents);

    void add(const DumpedAnswer& answer);
    // Writes what was added, if that is worth it; may wait for the disk. At the latest after a page of the cache.
    void write_out();
    // It takes its place. Error: the disk is full, the folder is gone, …; the old dump is as it was.
    Result<std::uint64_t> finish();  // how many answers

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

// Reads a dump twice: the first time all of it is checked, so that nothing is restored of one that is not whole.
class DumpReader {
  public:
    // Error: why the file is of no use here, in a sentence that names it. A file that is not there is one too:
    // missing() tells.
    static Result<std::unique_ptr<DumpReader>> open(const std::string& path,
                                                    const std::string& instance,
                                                    std::uint64_t now_wall_ms);
    static bool missing(const std::string& path);
    DumpReader(const DumpReader&) = delete;
    DumpReader& operator=(const DumpReader&) = delete;

    [[nodiscard]] const DumpContents& contents() const { return contents_; }
    [[nodiscard]] std::uint64_t answers() const { return answers_; }
    // Every answer, in order; what it points to is good during the call. Error: it changed since it was opened.
    Result<void> each(const std::function<void(const DumpedAnswer&)>& visit);

  private:
    DumpReader(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    Result<void> check(const std::string& instance, std::uint64_t now_wall_ms);
    // The next block into block_; false: not a whole one.
    bool read_block();
    Result<void> walk(const std::function<void(const DumpedAnswer&)>* visit);
    [[nodiscard]] Error torn() const;

    std::string path_;
    Descriptor fd_;
    DumpContents contents_;
    std::uint64_t answers_ = 0;
    std::vector<std::uint8_t> block_;
};

// Is this block of bytes an answer whose sum is right, and whose tables lead to as many records as it counts, inside it?
bool is_sound_answer(std::span<const std::uint8_t> bytes);

}  // namespace steer
