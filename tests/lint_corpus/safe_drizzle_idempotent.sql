DO $$ BEGIN
 CREATE TYPE "public"."status" AS ENUM('open', 'closed');
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "tickets" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"status" "status" DEFAULT 'open' NOT NULL,
	"owner_id" bigint
);
--> statement-breakpoint
CREATE TABLE "owners" ("id" bigserial PRIMARY KEY NOT NULL);
